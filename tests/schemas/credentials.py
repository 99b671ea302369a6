"""Credentials that tests share."""

from __future__ import annotations

from schemas import status_lists
from schemas.credential_drafts import (
    BadgeDraft,
    EndorsementDraft,
    Issuer,
    StatusListDraft,
    write_badge,
    write_endorsement,
    write_status_list,
)
from schemas.credentials import Achievement, Alignment, Evidence, Skill, Status

ALICE = "https://a.example/users/alice"
KEY = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
SUBJECT = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
ESCO = "http://data.europa.eu/esco/skill/ccd0a1d9-afda-43d9-b901-96344886e14d"
ISSUER = Issuer(ALICE, "Alice", KEY, f"did:key:{KEY}")
STATUS = Status(f"{ALICE}/status/1", 77)
FROM, UNTIL = "2026-01-05T10:00:00Z", "2027-01-05T10:00:00Z"
ACHIEVEMENT = Achievement(
    id="https://a.example/modules/1",
    name="Python for people",
    description="To write small programs.",
    type="Course",
    criteria="All five exercises done.",
    criteria_url="https://a.example/modules/1/criteria",
    alignments=(Alignment("Python", ESCO, "ESCO", "S5.6.1"),),
)
EVIDENCE = Evidence("Exercises", "Five of them", "All by herself", "https://a.example/work/1")


def badge(issuer=ISSUER, **more):
    members = {"status": STATUS, "evidence": (EVIDENCE,), "valid_until": UNTIL, **more}
    return write_badge(BadgeDraft(f"{ALICE}/credentials/1", issuer, SUBJECT, ACHIEVEMENT, FROM, **members))


def endorsement(issuer=ISSUER, **more):
    members = {"status": STATUS, "skill": Skill("Python", ESCO), "relation": "have worked together", **more}
    draft = EndorsementDraft(f"{ALICE}/credentials/2", issuer, SUBJECT, "Python", "She is good at it.", FROM, **members)
    return write_endorsement(draft)


def status_list(issuer=ISSUER, revoked=(77,), **more):
    bits = status_lists.new()
    for index in revoked:
        status_lists.set_bit(bits, index)
    return write_status_list(StatusListDraft(STATUS.list_url, issuer, status_lists.encode(bits), FROM, **more))
