"""Recipients -> inboxes."""

from __future__ import annotations

from federation.audience import MAX_LISTED, Recipient, Target, inboxes, merge

BOB = Recipient("https://b.example/bob", "https://b.example/bob/inbox", "https://b.example/inbox")
BEA = Recipient("https://b.example/bea", "https://b.example/bea/inbox", "https://b.example/inbox")
GERT = Recipient("https://g.example:8443/gert", "https://g.example:8443/gert/inbox", None)


def test_a_shared_inbox_gets_it_once_for_all() -> None:
    assert inboxes([BOB, GERT, BEA], shared=True) == [
        Target("https://b.example/inbox", "b.example", (BOB.actor_id, BEA.actor_id)),
        Target("https://g.example:8443/gert/inbox", "g.example:8443", (GERT.actor_id,)),
    ]


def test_what_is_for_certain_people_goes_to_their_own_inboxes() -> None:
    assert [target.inbox for target in inboxes([BOB, BEA, GERT], shared=False)] == [BOB.inbox, BEA.inbox, GERT.inbox]


def test_merging_keeps_everybody_and_each_inbox_once() -> None:
    merged = merge(inboxes([BOB], shared=True), inboxes([BEA, GERT], shared=True), inboxes([BOB], shared=True))
    assert [target.recipients for target in merged] == [(BOB.actor_id, BEA.actor_id), (GERT.actor_id,)]


def test_nobody_is_nowhere() -> None:
    assert inboxes([], shared=True) == []
    assert merge() == []


def test_recipients_are_written_down_up_to_a_number() -> None:
    few = Target("https://b.example/inbox", "b.example", ("x",) * MAX_LISTED)
    many = Target("https://b.example/inbox", "b.example", ("x",) * (MAX_LISTED + 1))
    assert few.listed == few.recipients
    assert many.listed is None
