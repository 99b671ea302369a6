"""Mails over real sockets: encrypted where they should be, signed in where they must be, and nothing said twice."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from node.errors import SettingsError
from node.mail import commands, queries, rules
from node.mail.sender import MailWorker
from node.mail.tables import mails
from node.settings import load
from tests.mailbox import Mailbox, free_port

SENDER = "Freehold <freehold@alice.example>"


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def ca_file(authority, tmp_path):
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@asynccontextmanager
async def listening(authority=None, **options):
    """A mail server that wants STARTTLS and a password, on a name that only the test's authority vouches for."""
    mailbox = Mailbox()
    if authority is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        options |= {"tls_context": context, "require_starttls": True}
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port(), **options)
    await asyncio.to_thread(controller.start)
    try:
        yield mailbox, controller.port
    finally:
        await asyncio.to_thread(controller.stop)


def right(server, session, envelope, mechanism, data):
    assert isinstance(data, LoginPassword)
    return AuthResult(success=(data.login, data.password) == (b"alice", b"p:w/d"), handled=False)


async def rows(db):
    return await db.read(lambda tx: tx.rows(sa.select(mails).order_by(mails.c.id)))


def worker(db, clock, url, **options):
    return MailWorker(db, clock, url, SENDER, "alice.example", **options)


async def test_a_mail_goes_encrypted_and_with_a_password(db, clock, authority, ca_file):
    async with listening(authority, authenticator=right, auth_required=True) as (mailbox, port):
        await db.write(commands.queue, "vera@example.org", "Größe", "Äpfel\n", unsubscribe="https://alice.example/u/1")
        untrusting = worker(db, clock, f"smtp://alice:p%3Aw%2Fd@127.0.0.1:{port}")
        assert await untrusting.drain() == 1
        assert "CERTIFICATE_VERIFY_FAILED" in (await rows(db))[0].last_error
        clock.offset += timedelta(minutes=2)
        assert await worker(db, clock, f"smtp://alice:wrong@127.0.0.1:{port}", ca_file=ca_file).drain() == 1
        assert mailbox.letters == []
        clock.offset += timedelta(minutes=3)
        assert await worker(db, clock, f"smtp://alice:p%3Aw%2Fd@127.0.0.1:{port}", ca_file=ca_file).drain() == 1
    [letter] = mailbox.letters
    [row] = await rows(db)
    assert (letter["From"], letter["To"], letter["Subject"]) == (SENDER, "vera@example.org", "Größe")
    assert (letter.get_content_type(), letter.get_content().strip()) == ("text/plain", "Äpfel")
    assert letter["Message-ID"] == f"<{row.message_id}@alice.example>"
    assert letter["List-Unsubscribe"] == "<https://alice.example/u/1>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert (row.state, row.text, row.attempts) == ("done", None, 2)


async def test_nothing_goes_in_the_clear_unless_the_operator_says_so(db, clock):
    async with listening() as (mailbox, port):
        await db.write(commands.queue, "vera@example.org", "x", "y")
        assert await worker(db, clock, f"smtp://127.0.0.1:{port}").drain() == 1
        assert mailbox.letters == []
        clock.offset += timedelta(minutes=2)
        assert await worker(db, clock, f"smtp://127.0.0.1:{port}?tls=no").drain() == 1
        assert len(mailbox.letters) == 1


async def test_one_refused_address_keeps_no_other_mail_back(db, clock):
    async with listening() as (mailbox, port):
        for number in range(12):
            await db.write(commands.queue, f"{'nobody' if number == 3 else 'vera'}@example.org", str(number), "x")
        mailbox.refused = {"nobody@example.org": "550 no such person"}
        assert await worker(db, clock, f"smtp://127.0.0.1:{port}?tls=no").drain() == 12
        assert [letter["Subject"] for letter in mailbox.letters] == [str(n) for n in range(12) if n != 3]
    assert [row.state for row in await rows(db)].count("given_up") == 1
    [unsent] = await db.read(queries.unsent)
    assert (unsent.recipient, unsent.last_error) == ("nobody@example.org", "550 no such person")


@pytest.mark.parametrize(
    "words", ["x\r\nBcc: eve@example.org", "x\nBcc: eve@example.org", "x\rBcc: eve", "x\x85Bcc: eve", "x\u2028Bcc: eve"]
)
async def test_110_no_word_becomes_a_header(db, clock, words):
    async with listening() as (mailbox, port):
        await db.write(commands.queue, "vera@example.org", words, f"{words}\n.\nMAIL FROM:<eve@example.org>\n")
        assert await worker(db, clock, f"smtp://127.0.0.1:{port}?tls=no").drain() == 1
    [letter] = mailbox.letters
    assert letter["Bcc"] is None
    assert letter["Subject"].startswith("x Bcc: eve")
    assert mailbox.recipients == ["vera@example.org"]


async def test_160_mails_wait_for_a_mail_server_and_no_longer_than_three_days(db, clock):
    await db.write(commands.queue, "vera@example.org", "secret", "link")
    absent = worker(db, clock, f"smtp://127.0.0.1:{free_port()}?tls=no")
    tries = 0
    for _ in range(80):
        tries += await absent.drain()
        clock.offset += timedelta(hours=1)
    [row] = await rows(db)
    assert (row.state, row.text) == ("given_up", None)
    assert 15 < tries < 40
    await db.write(commands.queue, "vera@example.org", "secret", "link")
    clock.offset += timedelta(days=3, minutes=6)
    await db.write(commands.tidy)  # where no mail server is named any more
    assert [(row.state, row.text) for row in await rows(db)] == [("given_up", None)] * 2
    clock.offset += timedelta(days=31)
    await db.write(commands.tidy)
    assert await rows(db) == []


async def test_175_a_mail_that_was_written_by_a_fast_clock_waits_no_longer(db, clock):
    clock.offset = timedelta(days=400)
    await db.write(commands.queue, "vera@example.org", "secret", "link")
    clock.offset = timedelta()
    assert await db.write(commands.take) == []
    await db.write(commands.tidy)
    assert len(await db.write(commands.take)) == 1


def test_each_wait_is_longer_up_to_four_hours():
    waits = [rules.wait(attempts) for attempts in range(1, 200)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (timedelta(minutes=1), timedelta(hours=4))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FREEHOLD_SMTP_URL", "http://mail.example"),
        ("FREEHOLD_SMTP_URL", "smtp://"),
        ("FREEHOLD_SMTP_URL", "smtp://mail.example:99999"),
        ("FREEHOLD_MAIL_FROM", "nobody"),
        ("FREEHOLD_MAIL_FROM", "a@b.example\nBcc: c@d.example"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(tmp_path, name, value):
    with pytest.raises(SettingsError, match=name):
        load(tmp_path, {name: value})


def test_a_password_is_not_shown(tmp_path):
    assert "p4ss" not in repr(load(tmp_path, {"FREEHOLD_SMTP_URL": "smtps://alice:p4ss@mail.example"}))
