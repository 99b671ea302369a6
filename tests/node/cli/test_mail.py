"""`freehold mail`: one mail now, and what waits."""

from __future__ import annotations

import asyncio

from aiosmtpd.controller import Controller

from node.mail.commands import queue
from tests.mailbox import Mailbox, free_port
from tests.node.cli.freehold import Freehold


def test_an_operator_tries_the_mail_server(tmp_path):
    freehold = Freehold(tmp_path, {})
    freehold.set_up()
    assert "Set FREEHOLD_SMTP_URL" in freehold.run("mail", "test", "vera@example.org", code=1)
    mailbox, port = Mailbox(), free_port()
    there = Freehold(tmp_path, {"FREEHOLD_SMTP_URL": f"smtp://127.0.0.1:{port}?tls=no"})
    assert "did not take it" in there.run("mail", "test", "vera@example.org", code=2)
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        assert "not a mail address" in there.run("mail", "test", "vera", code=1)
        assert there.json("mail", "test", "vera@example.org") == {"to": "vera@example.org", "sent": True}
        mailbox.refuse = "550 no such person"
        assert "550 no such person" in there.run("mail", "test", "nobody@example.org", code=2)
    finally:
        controller.stop()
    [letter] = mailbox.letters
    assert letter["From"] == "Freehold <freehold@amara.example>"
    assert there.run("mail", "list") == "Nothing waits: every mail was sent.\n"
    asyncio.run(there.write(lambda tx: queue(tx, "vera@example.org", "x", "y")))
    [waiting] = there.json("mail", "list")
    assert (waiting["recipient"], waiting["state"], waiting["attempts"]) == ("vera@example.org", "pending", 0)
