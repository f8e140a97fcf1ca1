"""Providers: what draws the values of columns that no engine models."""

from __future__ import annotations

from dbsynth.identifiers.arrays import ArrayLiteral
from dbsynth.identifiers.avoid import AvoidList, draw_avoiding
from dbsynth.identifiers.base import Provider, State
from dbsynth.identifiers.blank import FromType
from dbsynth.identifiers.blobs import Blob
from dbsynth.identifiers.documents import Json, Xml
from dbsynth.identifiers.national import NationalId
from dbsynth.identifiers.network import Address, Mac, Network, Token, Uuid
from dbsynth.identifiers.numbers import Card, Coordinates, Digits, Iban
from dbsynth.identifiers.pattern import Pattern
from dbsynth.identifiers.people import IDENTITIES
from dbsynth.identifiers.phones import Phone
from dbsynth.identifiers.postcodes import Postcode
from dbsynth.identifiers.text import Label, Text
from dbsynth.identifiers.types import ByType, OfType

PROVIDERS: dict[str, Provider] = {
    "first_name": IDENTITIES["first_name"],
    "last_name": IDENTITIES["last_name"],
    "full_name": IDENTITIES["full_name"],
    "name_title": IDENTITIES["name_title"],
    "user_name": IDENTITIES["user_name"],
    "email": IDENTITIES["email"],
    "job": IDENTITIES["job"],
    "company": IDENTITIES["company"],
    "street_address": IDENTITIES["street_address"],
    "street_extra": IDENTITIES["street_extra"],
    "city": IDENTITIES["city"],
    "region": IDENTITIES["region"],
    "country": IDENTITIES["country"],
    "url": IDENTITIES["url"],
    "postcode": Postcode(),
    "phone": Phone(),
    "ip": Address(),
    "mac": Mac(),
    "uuid": Uuid(),
    "token": Token(),
    "hash": Token("hash"),
    "iban": Iban(),
    "card": Card(),
    "national_id": NationalId(),
    "plate": Pattern("plate", "AAA-9999"),
    "digits": Digits(),
    "coordinates": Coordinates(),
    "text": Text(),
    "label": Label(),
    "pattern": Pattern(),
    "json": Json(),
    "xml": Xml(),
    "array": ArrayLiteral(),
    "tsvector": OfType("tsvector"),
    "inet": OfType("inet"),
    "cidr": Network(),
    "bytes": Blob(),
    "by_type": ByType(),
    "from_type": FromType(),
}

RESERVED = frozenset(
    {"email", "phone", "ip", "inet", "cidr", "mac", "uuid", "card", "token", "hash", "url"}
)
"""Providers whose values nobody else can have: no list of real values has to be avoided."""

PUBLIC = frozenset({"region"})
"""Providers whose values are words of public lists that know nothing of the source: where a row of
the clone has a region that some real row has too, that tells of nobody."""

__all__ = ["PROVIDERS", "PUBLIC", "RESERVED", "AvoidList", "Provider", "State", "draw_avoiding"]
