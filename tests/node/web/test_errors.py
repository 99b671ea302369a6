"""One table: what goes wrong, and the answer to it."""

from __future__ import annotations

import json

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from federation import errors as federation_errors
from node import errors
from node.web.errors import TABLE
from node.web.session import signed_in
from schemas.errors import Malformed

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
JSON = {"Accept": "application/json"}

CASES = [
    (errors.NotFound(), 404, "There is nothing at this address."),
    (errors.NotFound("This gig is not here."), 404, "This gig is not here."),
    (errors.Gone(), 410, "its owner took it away"),
    (errors.NotAllowed("It belongs to Bo."), 403, "It belongs to Bo."),
    (errors.Invalid({"name": "Write a name."}), 422, "Write a name."),
    (errors.BadRequest("Too large.", status=413), 413, "Too large."),
    (errors.TooMany("Wait.", 61.5), 429, "Wait."),
    (errors.AlreadySetUp("https://a.example"), 409, "set up already"),
    (federation_errors.Busy("the database is locked by pid 7"), 503, "Too busy for now."),
    (federation_errors.Unreachable("dialling 10.0.0.1 failed"), 503, "Could not be checked for now."),
    (federation_errors.NotFound("nobody at https://b.example"), 404, "Not found."),
    (federation_errors.Gone("ended"), 410, "Gone."),
    (federation_errors.Forbidden("blocked"), 403, "Not allowed."),
    (federation_errors.Unsafe("10.0.0.1 is private"), 400, "That address cannot be used."),
    (Malformed("url", "has an impossible port"), 400, "impossible port"),
    (web.HTTPNotFound(), 404, "There is nothing at this address."),
    (web.HTTPRequestEntityTooLarge(1, 2), 413, "too large"),
    (KeyError("secret detail"), 500, "Something broke"),
]


def raising(error):
    async def handler(request):
        raise error

    return handler


@pytest.mark.parametrize(("error", "status", "says"), CASES, ids=lambda value: type(value).__name__)
async def test_an_error_is_a_page_for_people_and_json_for_programs(serve, error, status, says):
    async with serve(web.get("/x", raising(error))) as visitor:
        async with visitor.http.get(f"{visitor.origin}/x", headers=HTML) as page:
            text = await page.text()
            assert (page.status, page.content_type) == (status, "text/html")
            assert text.count("<h1>") == 1
            assert page.headers["Cache-Control"] == "no-store"
        async with visitor.http.get(f"{visitor.origin}/x", headers=JSON) as answer:
            assert (answer.status, answer.content_type) == (status, "application/json")
            assert says in json.loads(await answer.text())["error"]
            assert ("Retry-After" in answer.headers) == (status in (429, 503))
    for hidden in ("10.0.0.1", "pid 7", "secret detail", "https://b.example"):
        assert hidden not in text
    if status not in (410, 404, 500):
        assert says in text


async def test_a_fault_has_a_number_on_the_page_and_in_the_log(serve):
    async with serve(web.get("/x", raising(RuntimeError("inside")))) as visitor:
        with capture_logs() as lines:
            page = await visitor.get("/x")
    number = page.text.split("<code>")[1].split("</code>")[0]
    assert number.startswith("req-")
    fault, request = lines
    assert (fault["fault"], str(fault["exc_info"]), fault["log_level"]) == (number, "inside", "error")
    assert (request["fault"], request["status"]) == (number, 500)
    assert "inside" not in page.text


async def test_a_page_for_somebody_who_is_signed_in_leads_to_the_sign_in_page_and_back(serve):
    @signed_in
    async def private(request, viewer):
        raise AssertionError("nobody is signed in")

    async with serve(web.get("/private", private), web.post("/private", private)) as visitor:
        url = f"{visitor.origin}/private"
        async with visitor.http.get(f"{url}?a=b&c=d", headers=HTML, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/sign-in?next=%2Fprivate%3Fa%3Db%26c%3Dd")
        async with visitor.http.get(url, headers=JSON, allow_redirects=False) as answer:
            assert answer.status == 403
        async with visitor.http.post(url, headers=HTML, allow_redirects=False) as answer:
            assert answer.status == 403


async def test_a_method_that_does_not_exist_says_which_do(serve):
    async with (
        serve(web.get("/x", raising(errors.NotFound()))) as visitor,
        visitor.http.delete(f"{visitor.origin}/x", headers=HTML) as answer,
    ):
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


async def test_redirects_pass(serve):
    async with (
        serve(web.get("/x", raising(web.HTTPSeeOther("/y")))) as visitor,
        visitor.http.get(f"{visitor.origin}/x", allow_redirects=False) as answer,
    ):
        assert (answer.status, answer.headers["Location"]) == (303, "/y")


def test_every_error_of_ours_has_a_place_in_the_table():
    for kind in (errors.NodeError, *errors.NodeError.__subclasses__(), federation_errors.FederationError):
        if kind is not errors.NotSignedIn:
            assert any(base in TABLE for base in kind.__mro__), kind


async def test_a_person_gets_a_page_for_what_servers_get_as_json(serve):
    async def bare(request):
        return web.json_response({"error": "Not found."}, status=404)

    async with serve(web.get("/users/nobody", bare)) as visitor:
        page = await visitor.get("/users/nobody")
        assert (page.status, "There is nothing at this address." in page.text) == (404, True)
        async with visitor.http.get(f"{visitor.origin}/users/nobody", headers={"Accept": "*/*"}) as answer:
            assert (answer.status, await answer.json()) == (404, {"error": "Not found."})
