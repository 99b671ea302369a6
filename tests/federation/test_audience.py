"""Recipients -> inboxes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

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


def _recipient(host: str, name: str, *, shares: bool) -> Recipient:
    actor_id = f"https://{host}.example/{name}"
    return Recipient(actor_id, f"{actor_id}/inbox", f"https://{host}.example/inbox" if shares else None)


RECIPIENTS = st.lists(st.builds(_recipient, st.sampled_from("bcd"), st.sampled_from("xyz"), shares=st.booleans()))


def _reached(targets: list[Target]) -> list[str]:
    return [actor_id for target in targets for actor_id in target.recipients]


@given(RECIPIENTS, st.booleans())
def test_everybody_is_reached_and_no_inbox_twice(recipients: list[Recipient], shared: bool) -> None:
    targets = inboxes(recipients, shared=shared)
    assert sorted(_reached(targets)) == sorted(recipient.actor_id for recipient in recipients)
    assert len({target.inbox for target in targets}) == len(targets)
    assert all(target.host == f"{target.inbox[8]}.example" for target in targets)


@given(RECIPIENTS)
def test_a_shared_inbox_is_never_used_for_certain_people(recipients: list[Recipient]) -> None:
    shared = {recipient.shared_inbox for recipient in recipients}
    assert shared.isdisjoint(target.inbox for target in inboxes(recipients, shared=False))


@given(RECIPIENTS, RECIPIENTS)
def test_merging_loses_nobody_and_merging_again_adds_nobody(one: list[Recipient], two: list[Recipient]) -> None:
    before, today = inboxes(one, shared=True), inboxes(two, shared=True)
    merged = merge(before, today)
    assert set(_reached(merged)) == set(_reached(before)) | set(_reached(today))
    assert len({target.inbox for target in merged}) == len(merged)
    assert merge(merged, before, today) == merged
