"""Values of every wrong shape, and documents made of the names that we read with anything in them."""

from __future__ import annotations

from hypothesis import strategies as st

WRONG = (None, 0, 1.5, True, "", [], {}, [[]], [{}], [None], {"id": None}, {"id": ["x"]}, {"type": "x"})
"""SECURITY 86: what may stand where something else is expected."""

NAMES = (
    *(
        "@context",
        "id",
        "type",
        "@id",
        "@type",
        "actor",
        "object",
        "to",
        "cc",
        "content",
        "contentMap",
        "name",
        "nameMap",
    ),
    *("summary", "url", "href", "mediaType", "published", "updated", "endTime", "attributedTo", "inReplyTo", "tag"),
    *(
        "attachment",
        "icon",
        "inbox",
        "outbox",
        "followers",
        "following",
        "endpoints",
        "sharedInbox",
        "preferredUsername",
    ),
    *("publicKey", "publicKeyPem", "owner", "assertionMethod", "publicKeyMultibase", "controller", "alsoKnownAs"),
    *("webfinger", "headline", "availability", "status", "from", "hoursPerWeek", "value", "sensitive"),
    *("schema:knowsAbout", "schema:knowsLanguage", "schema:makesOffer", "schema:priceSpecification", "schema:price"),
    *("schema:priceCurrency", "schema:unitCode", "schema:name", "schema:skills", "schema:about"),
    *("purpose", "publishes", "reciprocal", "resourceConformsTo", "resourceQuantity", "availableQuantity", "hasUnit"),
    *("hasNumericalValue", "vf:name", "minimumQuantity", "license", "teaches", "timeRequired", "learningResourceType"),
    *("subject", "aliases", "links", "rel", "proof", "@graph", "as:actor", "@value"),
)
WORDS = (
    *(
        "Create",
        "Note",
        "Article",
        "Person",
        "Intent",
        "Multikey",
        "PropertyValue",
        "Hashtag",
        "Mention",
        "Link",
        "self",
    ),
    *("offer", "request", "open", "hour", "EUR", "PT6H", "2026-12-07T10:00:00Z", "2026-12-07", "12.50", "en"),
    *("https://a.example/u", "https://b.example/x", "http://schema.org/", "acct:a@a.example", "as:Public", "text/html"),
    *("https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1", "https://evil.example/context", "@id"),
    *("application/activity+json", "alice", "javascript:alert(1)", "https://good\\@evil/"),
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(WORDS)
    | st.text(max_size=8)
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=15,
)
documents = st.dictionaries(st.sampled_from(NAMES), anything, max_size=10)
