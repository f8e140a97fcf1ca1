"""What columns hold: the concepts, whom their values give away, and which provider draws them."""

from __future__ import annotations

from dataclasses import dataclass

from dbsynth.classify.names import words_of
from dbsynth.classify.types import Exposure
from dbsynth.identifiers.recognise import EMAIL, IPV4, IPV6

_DIRECT, _QUASI, _NONE = Exposure.DIRECT, Exposure.QUASI, Exposure.NONE


@dataclass(frozen=True, slots=True)
class Concept:
    """A thing that a column may hold.

    Attributes:
        exposure: Whether a value names somebody by itself, together with others, or nobody.
        provider: What draws new values; empty where the values are modelled like any others.
        proof: What most values must match where only the name speaks for the concept.
        strict: The same where the name is no more than a hint; empty where nothing would do.
        numeric: Whether whole numbers may be such values.
        personal: Whether it gives somebody away only in a table about persons.
        repeats: Whether values may repeat and stay modelled by how often they do.
    """

    exposure: Exposure = _NONE
    provider: str = ""
    proof: str = ""
    strict: str = ""
    numeric: bool = False
    personal: bool = False
    repeats: bool = True


_WORDS = r"^[\p{L}][\p{L}\s'’.,()/&-]*$"
_NUMBERED = r"^[A-Za-z]{0,6}[ .:/-]?([0-9][ ./-]?){6,}[A-Za-z0-9]{0,6}$"
_SECRET = r"^(\S{20,}|-----BEGIN[\s\S]*)$"
_PLATE = (
    r"^(\p{Lu}{1,3}[ -]\p{Lu}{1,2} ?\d{1,4}[EH]?|[A-Z]{2}-?\d{3}-?[A-Z]{2}|[A-Z]{2}\d{2} ?[A-Z]{3}"
    r"|\d{4} ?[A-Z]{3}|[A-Z]{2} \d{3}[A-Z]{2}|[A-Z]{2,3} [A-Z0-9]{4,5}|[A-Z]{3}-?\d[A-Z0-9]\d{2}"
    r"|[A-Z]{3}-\d{3,4}|\d{3}-[A-Z]{3}|[A-Z0-9]{1,3}-[A-Z0-9]{2,3}-[A-Z0-9]{1,2})$"
)

CONCEPTS: dict[str, Concept] = {
    "first_name": Concept(_DIRECT, "first_name", _WORDS, repeats=False),
    "last_name": Concept(_DIRECT, "last_name", _WORDS, repeats=False),
    "full_name": Concept(_DIRECT, "full_name"),
    "user_name": Concept(_DIRECT, "user_name", r"[A-Za-z]{2}|^\S+$", r"^[A-Za-z][A-Za-z0-9._]{2,30}$"),
    "email": Concept(_DIRECT, "email", "@", EMAIL),
    "phone": Concept(_DIRECT, "phone", r"([0-9][^0-9]*){5}", numeric=True),
    "street_address": Concept(_DIRECT, "street_address", r"\p{L}{2}"),
    "street_extra": Concept(_DIRECT, "street_extra"),
    "national_id": Concept(_DIRECT, "national_id", "[0-9]", _NUMBERED, numeric=True),
    "passport": Concept(_DIRECT, "national_id", "[0-9]", _NUMBERED, numeric=True),
    "driving_licence": Concept(_DIRECT, "national_id", "[0-9]", _NUMBERED, numeric=True),
    "health_id": Concept(_DIRECT, "national_id", "[0-9]", _NUMBERED, numeric=True),
    "tax_id": Concept(_DIRECT, "national_id", "[0-9]", _NUMBERED, numeric=True),
    "iban": Concept(_DIRECT, "iban", r"^[A-Za-z]{2}[0-9]{2}"),
    "bank_account": Concept(_DIRECT, "pattern", "[0-9]", r"^[A-Z0-9 /-]*([0-9][ /-]?){5,}$", numeric=True),
    "card": Concept(_DIRECT, "card", r"([0-9*xX][^0-9]*){8}", numeric=True),
    "ip": Concept(_DIRECT, "ip", f"({IPV4})|({IPV6})"),
    "mac": Concept(_DIRECT, "mac", r"[0-9A-Fa-f]{2}[:-]?[0-9A-Fa-f]{2}"),
    "device_id": Concept(_DIRECT, "pattern", "[0-9]", r"^[0-9A-Fa-f-]{14,40}$", numeric=True),
    "vehicle_id": Concept(_DIRECT, "pattern", "[0-9]", r"^[A-HJ-NPR-Z0-9]{17}$"),
    "plate": Concept(_DIRECT, "plate", "[0-9]", _PLATE),
    "crypto_address": Concept(_DIRECT, "token", r"^\w{25,}$", r"^\w{25,}$"),
    "secret": Concept(_DIRECT, "token", r"^\S{4,}$|-----BEGIN", _SECRET, repeats=False),
    "company": Concept(_DIRECT, "company", r"\p{L}{2}"),
    "url": Concept(_DIRECT, "url", r"[./]", r"^(https?://|www\.)|\.[a-z]{2,4}(/|$)", personal=True),
    "birth_date": Concept(_QUASI, numeric=True),
    "death_date": Concept(_QUASI, numeric=True),
    "age": Concept(_QUASI, numeric=True, personal=True),
    "sex": Concept(_QUASI, personal=True, strict=r"^(?i:m|f|h|k|w|d|x|v|u|o|[0129]|m\.|mme|mlle|mr|mrs|ms|fe?male|man|woman|homme|femme|[a-z]+em|uomo|donna)$", numeric=True),
    "name_title": Concept(_QUASI, "", r"^\p{L}{1,6}\.?( \p{L}{1,5}\.?)?$", r"^(?i:mr|mrs|ms|miss|mx|dr|prof|sir|rev|herr|frau|dr|pan|pani|sr|sra|m|mme|mlle|dhr|mevr|sig|dott)\.?a?( .{1,6})?$"),
    "marital_status": Concept(_QUASI, numeric=True, personal=True),
    "nationality": Concept(_QUASI, personal=True),
    "ethnicity": Concept(_QUASI, strict=_WORDS, personal=True),
    "religion": Concept(_QUASI, strict=_WORDS, personal=True),
    "orientation": Concept(_QUASI, personal=True),
    "health": Concept(_QUASI, strict=_WORDS, personal=True),
    "education": Concept(_QUASI, strict=_WORDS, personal=True),
    "job": Concept(_QUASI, "job", _WORDS, _WORDS, personal=True),
    "house_number": Concept(_QUASI, "", "[0-9]", numeric=True),
    "postcode": Concept(_QUASI, "postcode", "[0-9]", r"^([A-Z]{1,2}[ -]?)?\d{3,6}([ -]?(\d{2,4}|[A-Z]{2}))?$", numeric=True, personal=True),
    "city": Concept(_QUASI, "city", r"\p{L}{2}", _WORDS, personal=True),
    "region": Concept(_QUASI, "region", "", _WORDS, personal=True),
    "country": Concept(_QUASI, "country", "", _WORDS, personal=True),
    "coordinates": Concept(_QUASI, "coordinates", "[0-9]", r"^-?\d{1,3}\.\d{3,}$", personal=True),
    "uuid": Concept(_NONE, "uuid", r"[0-9a-fA-F]{8}"),
    "hash": Concept(_NONE, "hash", r"^\S{8,}$", r"^[0-9a-fA-F]{16,}$", repeats=False),
    "bic": Concept(_NONE, "pattern"),
    "path": Concept(_NONE, "pattern"),
    "text": Concept(),
    "label": Concept(),
    "vocabulary": Concept(),
}  # fmt: skip
"""Every concept by its name."""

NOTHING = Concept()


def concept(name: str) -> Concept:
    """The concept of a name; one that gives nobody away where there is none."""
    return CONCEPTS.get(name, NOTHING)


PERSONAL = frozenset(
    name for name, it in CONCEPTS.items()
    if it.provider and name not in ("company", "job", "city", "region", "country", "bic", "path")
)  # fmt: skip
"""Concepts whose values are always drawn anew, however often they repeat."""

OF_PERSONS = words_of(
    """first_name last_name full_name email phone user_name national_id passport driving_licence
    health_id birth_date street_address card ip"""
)
"""Concepts one of which says that the rows of a table are about persons."""

OF_PERSONS_TOGETHER = words_of(
    """sex age marital_status nationality ethnicity religion orientation health education job
    name_title postcode death_date house_number"""
)
"""Concepts two of which say so."""
