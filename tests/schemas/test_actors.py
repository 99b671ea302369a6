"""Actors: read from anybody, written by us, and the same after a journey."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given

from keys.encoding import public_from_multibase, public_from_pem
from schemas.actors import (
    MAX_CREDENTIALS,
    MAX_USERNAME,
    ActorDraft,
    ActorKeys,
    handle_host,
    parse_actor,
    with_credentials,
    write_actor,
    write_multikey,
)
from schemas.errors import Malformed, SchemaError
from schemas.jsonld import normalise
from schemas.money import Rate, Skill
from schemas.profiles import Availability, FreelanceProfile, date_of
from schemas.strict_json import dumps, loads_object
from schemas.terms import ACTOR_TYPES
from tests.schemas.shapes import NAMES, WRONG, documents
from tests.vectors import FOLDER, load

ID = "https://a.example/users/alice"
MINIMAL = {"id": ID, "type": "Person", "preferredUsername": "alice", "inbox": f"{ID}/inbox"}
PROFILE = FreelanceProfile(
    headline="Backend developer",
    skills=(
        Skill("Python", "http://data.europa.eu/esco/skill/ccd0a1d9-afda-43d9-b901-96344886e14d"),
        Skill("Tea", None),
    ),
    languages=("en", "de-AT"),
    rate=Rate(Decimal("68.00"), "EUR", "hour"),
    availability=Availability("limited", date(2026, 12, 7), 24, datetime(2026, 11, 23, 14, 15, 42, tzinfo=UTC)),
)
PEM = "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----\n"
KEYS = ActorKeys((f"{ID}#main-key", PEM), (write_multikey(f"{ID}#ed25519-key", ID, "z6Mk"),))
DRAFT = ActorDraft(
    id=ID,
    type="Person",
    username="alice",
    name="Alice Müller",
    summary="<p>Hello</p>",
    url="https://a.example/@alice",
    inbox=f"{ID}/inbox",
    shared_inbox="https://a.example/inbox",
    published="2026-12-07T10:00:00Z",
    acct="alice@a.example",
    keys=KEYS,
    icon=("https://a.example/media/1.png", "image/png"),
    profile=PROFILE,
    rows=(("Web", '<a href="https://alice.example">alice.example</a>'),),
)


def test_what_we_write_is_what_we_read():
    document = loads_object(dumps(write_actor(DRAFT)))
    assert normalise(document) is document
    actor = parse_actor(document)
    for name in ("id", "type", "username", "name", "summary", "url", "inbox", "shared_inbox", "profile"):
        assert getattr(actor, name) == getattr(DRAFT, name), name
    assert actor.webfinger == DRAFT.acct
    assert actor.icon == DRAFT.icon[0]
    assert actor.attachments == DRAFT.rows
    assert (actor.followers, actor.following, actor.outbox) == (f"{ID}/followers", f"{ID}/following", f"{ID}/outbox")
    assert [(key.id, key.owner, key.pem, key.multibase) for key in actor.public_keys] == [
        (f"{ID}#main-key", ID, PEM, None),
        (f"{ID}#ed25519-key", ID, None, "z6Mk"),
    ]


def test_an_actor_without_a_profile_has_none():
    document = write_actor(
        ActorDraft(**{**{name: getattr(DRAFT, name) for name in DRAFT.__struct_fields__}, "profile": None})
    )
    assert parse_actor(document).profile is None
    assert parse_actor(MINIMAL).profile is None


def test_an_empty_profile_writes_nothing():
    bare = ActorDraft(
        **{**{name: getattr(DRAFT, name) for name in DRAFT.__struct_fields__}, "profile": FreelanceProfile()}
    )
    assert not {"headline", "schema:knowsAbout", "schema:makesOffer", "availability"} & set(write_actor(bare))


def test_the_example_is_read():
    actor = parse_actor(load("examples/actor.json"))
    assert (actor.username, actor.name, actor.profile.rate) == (
        "emb",
        "Emb Freelance",
        Rate(Decimal("650.00"), "EUR", "day"),
    )
    assert actor.profile.availability.status == "open"
    assert actor.profile.availability.hours_per_week == 24
    assert [skill.name for skill in actor.profile.skills] == ["Python", "ActivityPub"]


@pytest.mark.parametrize("name", sorted(path.name for path in (FOLDER / "captures").glob("doc-*actor.json")))
def test_actors_of_real_servers_are_read_with_their_keys(name):
    actor = parse_actor(normalise(loads_object(load(f"captures/{name}")["body"].encode())))
    assert actor.public_keys
    for key in actor.public_keys:
        assert public_from_multibase(key.multibase) if key.multibase else public_from_pem(key.pem)


def test_a_minimal_actor_is_read():
    actor = parse_actor(MINIMAL)
    assert (actor.shared_inbox, actor.name, actor.public_keys) == (None, "", ())
    assert handle_host(actor) == "a.example"


@pytest.mark.parametrize("kind", sorted(ACTOR_TYPES))
def test_all_kinds_of_actors_are_read(kind):
    assert parse_actor(MINIMAL | {"type": kind}).type == kind


@pytest.mark.parametrize("name", MINIMAL)
@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_086_what_an_actor_needs_is_of_the_right_type(name, value):
    with pytest.raises(Malformed):
        parse_actor(MINIMAL | {name: value})


@pytest.mark.parametrize("name", NAMES)
def test_086_what_an_actor_may_have_is_read_or_refused(name):
    for value in WRONG:
        for inside in (value, [value], {"id": value}, {"href": value}, [{"id": "https://a.example/x", "type": value}]):
            try:
                parse_actor(MINIMAL | {name: inside})
            except SchemaError:
                continue


@pytest.mark.parametrize(
    "name", ["", "a b", "a/b", "a@b", "a\u202eb", "a\n", "<b>", "x" * 3_000, "x" * (MAX_USERNAME + 1)]
)
def test_058_names_that_are_none_are_refused(name):
    with pytest.raises(Malformed):
        parse_actor(MINIMAL | {"preferredUsername": name})


@pytest.mark.parametrize("url", ["https://b.example/inbox", "http://a.example/inbox", "https://a.example:8443/inbox"])
def test_047_an_inbox_lies_at_its_actors_origin(url):
    with pytest.raises(Malformed):
        parse_actor(MINIMAL | {"inbox": url})
    actor = parse_actor(
        MINIMAL | {"outbox": url, "followers": url, "following": url, "endpoints": {"sharedInbox": url}}
    )
    assert (actor.outbox, actor.followers, actor.following, actor.shared_inbox) == (None,) * 4


@pytest.mark.parametrize(
    "key",
    [
        {"id": f"{ID}#k", "owner": "https://b.example/u", "publicKeyPem": "x"},
        {"id": "k", "publicKeyPem": "x"},
        {"id": f"{ID}#k", "publicKeyPem": ["x"]},
        {"id": f"{ID}#k"},
        {"publicKeyPem": "x"},
        "https://a.example/k",
    ],
)
def test_086_keys_that_are_none_are_left_out(key):
    assert parse_actor(MINIMAL | {"publicKey": key}).public_keys == ()


def test_086_only_multikeys_of_the_actor_count():
    good = {"id": f"{ID}#k", "type": "Multikey", "controller": ID, "publicKeyMultibase": "z6Mk"}
    bad = [
        good | {"type": "JsonWebKey"},
        good | {"controller": "https://b.example/u"},
        good | {"publicKeyMultibase": 1},
    ]
    assert [key.id for key in parse_actor(MINIMAL | {"assertionMethod": [*bad, good]}).public_keys] == [f"{ID}#k"]


def test_081_what_there_may_be_many_of_is_bounded():
    key = {"id": f"{ID}#k", "publicKeyPem": "x"}
    row = {"type": "PropertyValue", "name": "n" * 500, "value": "v" * 5_000}
    actor = parse_actor(MINIMAL | {"publicKey": [key] * 100, "attachment": [row] * 100, "name": "n" * 2_000})
    assert (len(actor.public_keys), len(actor.attachments), len(actor.name)) == (20, 20, 500)
    assert (len(actor.attachments[0][0]), len(actor.attachments[0][1])) == (200, 2_000)
    with pytest.raises(Malformed):
        parse_actor(MINIMAL | {"attachment": [row] * 20_000})


@pytest.mark.parametrize("hours", ["169", "-1", "NaN", "1e400", True, [], "²"])
def test_089_absurd_hours_are_none(hours):
    profile = parse_actor(MINIMAL | {"availability": {"status": "open", "hoursPerWeek": hours}}).profile
    assert profile.availability == Availability("open")


@pytest.mark.parametrize(
    "value", ["2026-02-30", "2026-W01-1", "20261207", "2026-12-7", "٢٠٢٦-12-07", "", 7, None, "2026-12-07\n"]
)
def test_176_odd_dates_are_no_dates(value):
    assert date_of(value) is None


def test_a_date_is_read():
    assert date_of("2026-12-07") == date(2026, 12, 7)


@given(documents)
def test_174_the_reader_is_total(document):
    for value in (document, document | MINIMAL):
        try:
            parse_actor(value)
        except SchemaError:
            continue


def test_credentials_are_listed_on_their_owners_server_once_each_and_not_without_end() -> None:
    document = {"id": ID, "type": "Person", "preferredUsername": "alice", "inbox": f"{ID}/inbox"}
    mine = [f"https://a.example/@alice/credentials/{number}" for number in range(MAX_CREDENTIALS + 5)]
    read = parse_actor(with_credentials(document, mine)).credentials
    assert read == tuple(mine[:MAX_CREDENTIALS])
    assert "credentials" not in with_credentials(with_credentials(document, mine), [])
    odd = [mine[0], mine[0], {"id": mine[1]}, "https://evil.example/1", "javascript:x", 7, None, {"id": 7}]
    assert parse_actor(document | {"credentials": odd}).credentials == (mine[0], mine[1])
    assert parse_actor(document | {"credentials": mine[2]}).credentials == (mine[2],)
    assert normalise(with_credentials(document, mine[:2]))["credentials"] == mine[:2]
