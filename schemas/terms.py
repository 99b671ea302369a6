"""Every IRI, type name, media type and context that we say or read, once."""

from __future__ import annotations

from typing import Any

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
PUBLIC_NAMES = frozenset({PUBLIC, "as:Public", "Public"})

AS_CONTEXT = "https://www.w3.org/ns/activitystreams"
SECURITY_V1 = "https://w3id.org/security/v1"
DATA_INTEGRITY_V1 = "https://w3id.org/security/data-integrity/v1"
DATA_INTEGRITY_V2 = "https://w3id.org/security/data-integrity/v2"
MULTIKEY_V1 = "https://w3id.org/security/multikey/v1"
DID_KEY = "did:key:"
CREDENTIALS_V2 = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context"  # so begins the address of each of its contexts
OPEN_BADGES_V3 = f"{OPEN_BADGES}-3.0.3.json"

AS = "https://www.w3.org/ns/activitystreams#"
SECURITY = "https://w3id.org/security#"
FREEHOLD = "https://w3id.org/freehold/ns#"
VF = "https://w3id.org/valueflows/ont/vf#"
OM2 = "http://www.ontology-of-units-of-measure.org/resource/om-2/"
SCHEMA = "http://schema.org/"
TOOT = "http://joinmastodon.org/ns#"
ISO_4217 = "urn:iso:std:iso:4217:"
ESCO_SKILL = "http://data.europa.eu/esco/skill/"

ACTIVITY_JSON = "application/activity+json"
LD_JSON_AS = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
JRD_JSON = "application/jrd+json"
VC_JSON = "application/vc"
VP_JSON = "application/vp"

ACTOR_TYPES = frozenset({"Person", "Organization", "Application", "Service", "Group"})
NOTE_TYPES = frozenset({"Note", "Question", "Article", "Page", "Event", "Image", "Video", "Audio", "Document"})

ACTOR_CONTEXT: list[Any] = [
    AS_CONTEXT,
    SECURITY_V1,
    DATA_INTEGRITY_V1,
    MULTIKEY_V1,
    {
        "schema": SCHEMA,
        "toot": TOOT,
        "fh": FREEHOLD,
        "PropertyValue": "http://schema.org#PropertyValue",
        "value": "http://schema.org#value",
        "discoverable": "toot:discoverable",
        "indexable": "toot:indexable",
        "featured": {"@id": "toot:featured", "@type": "@id"},
        "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
        "alsoKnownAs": {"@id": "as:alsoKnownAs", "@type": "@id"},
        "movedTo": {"@id": "as:movedTo", "@type": "@id"},
        "headline": "fh:headline",
        "availability": "fh:availability",
        "status": "fh:status",
        "from": "fh:from",
        "hoursPerWeek": "fh:hoursPerWeek",
        "weeks": "fh:weeks",
        "weeksFrom": "fh:weeksFrom",
        "level": "fh:level",
        "portfolio": "fh:portfolio",
        "cv": {"@id": "fh:cv", "@type": "@id"},
        "VerifiableIdentityStatement": "https://w3id.org/fep/c390#VerifiableIdentityStatement",
        "subject": {"@id": "https://w3id.org/fep/c390#subject", "@type": "@id"},
        "succession": "fh:succession",
        "credentials": {"@id": "fh:credentials", "@type": "@id"},
        "webfinger": "https://purl.archive.org/socialweb/webfinger#webfinger",
        "assertionMethod": {"@id": "https://w3id.org/security#assertionMethod", "@type": "@id", "@container": "@set"},
        "verificationMethod": {"@id": "https://w3id.org/security#verificationMethod", "@type": "@id"},
    },
]

NOTE_TERMS: dict[str, Any] = {
    "Hashtag": "as:Hashtag",
    "sensitive": "as:sensitive",
    "credential": f"{FREEHOLD}credential",
}

GIG_TERMS: dict[str, Any] = {
    "vf": VF,
    "om2": OM2,
    "schema": SCHEMA,
    "Intent": "vf:Intent",
    "purpose": "vf:purpose",
    "publishes": {"@id": "vf:publishes", "@type": "@id"},
    "reciprocal": {"@id": "vf:reciprocal", "@type": "@id"},
    "unitBased": "vf:unitBased",
    "action": "vf:action",
    "resourceConformsTo": {"@id": "vf:resourceConformsTo", "@type": "@id"},
    "resourceQuantity": "vf:resourceQuantity",
    "availableQuantity": "vf:availableQuantity",
    "minimumQuantity": "vf:minimumQuantity",
    "hasUnit": "om2:hasUnit",
    "hasNumericalValue": "om2:hasNumericalValue",
    "Hashtag": "as:Hashtag",
}

MODULE_TERMS: dict[str, Any] = {
    "schema": SCHEMA,
    "teaches": {"@id": "schema:teaches", "@type": "@id"},
    "license": {"@id": "schema:license", "@type": "@id"},
    "timeRequired": "schema:timeRequired",
    "learningResourceType": "schema:learningResourceType",
    "Hashtag": "as:Hashtag",
}


CREDENTIAL_TERMS: dict[str, Any] = {
    "skill": {"@id": FREEHOLD + "skill", "@type": "@id"},
    "relation": FREEHOLD + "relation",
    "formerly": {"@id": FREEHOLD + "formerly", "@type": "@id"},
}

CARD_TERMS: dict[str, Any] = {
    "schema": SCHEMA,
    "fh": FREEHOLD,
    "availability": "fh:availability",
    "status": "fh:status",
    "from": "fh:from",
    "hoursPerWeek": "fh:hoursPerWeek",
    "weeks": "fh:weeks",
    "weeksFrom": "fh:weeksFrom",
    "level": "fh:level",
    "portfolio": "fh:portfolio",
}


def object_context(terms: dict[str, Any], used: set[str]) -> list[Any]:
    """The context of an object: only the terms that it uses (the map is repeated inside each proof)."""
    prefixes = {name for name in ("vf", "om2", "schema", "fh") if name in terms}
    chosen = {name: value for name, value in terms.items() if name in used or name in prefixes}
    return [AS_CONTEXT, DATA_INTEGRITY_V1, chosen] if chosen else [AS_CONTEXT, DATA_INTEGRITY_V1]
