"""Recognising what text values are by how they are written."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

UUID = r"^\{?[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}\}?$"
EMAIL = r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$"
URL = r"^(?i:(https?|ftp|s3|gs)://|www\.)\S+$"
IPV4 = r"^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}(/\d{1,2})?$"
IPV6 = (
    r"^(([0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}"
    r"|([0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4}){0,6})?::([0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4}){0,6})?)(/\d{1,3})?$"
)
MAC = r"^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$"
IBAN = r"^[A-Z]{2}\d{2} ?[A-Z0-9]{4}( ?[A-Z0-9]{3,4}){2,7}( ?[A-Z0-9]{1,3})?$"
CARD = r"^\d{4}[ -]?\d{4,6}[ -]?\d{4,5}([ -]?\d{1,4})?$"
HASH = (
    r"^([0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128}"
    r"|[0-9A-F]{32}|[0-9A-F]{40}|[0-9A-F]{64})$"
)
CRYPT = r"^(\$[0-9a-z]+\$|pbkdf2_|argon2|\{SSHA\}).+$"
SECRET = (
    r"^(eyJ[\w-]+\.[\w-]+\.[\w-]*|(sk|pk|rk)_(live|test)_\w+|gh[pousr]_\w{20,}|github_pat_\w+"
    r"|xox[abprs]-[\w-]+|(AKIA|ASIA)[0-9A-Z]{16}|AIza[\w-]{35}|glpat-[\w-]{20}|npm_\w{36}"
    r"|SG\.[\w-]+\.[\w-]+|ssh-(rsa|ed25519|dss) \S+.*)$|^-----BEGIN [A-Z0-9 ]+-----"
)
CRYPTO_ADDRESS = r"^(0x[0-9a-fA-F]{40}|bc1[0-9a-z]{25,60}|[13][1-9A-HJ-NP-Za-km-z]{25,34})$"
INTEGER = r"^\s*[+-]?\d{1,18}\s*$"
DECIMAL = r"^\s*[+-]?(\d{1,15}(\.\d{1,9})?|\.\d{1,9})\s*$"
JSON = r"^\s*[\[{].*[\]}]\s*$"
XML = r"^\s*<[?!A-Za-z][^<>]*>.*>\s*$"
PATH = r"^([A-Za-z]:\\|/|\./|~/|\\\\)?([\w .@-]+[/\\])+[\w .@-]+$"
PHONE = r"^(\+|00)?[\d(][\d ()./-]{5,18}\d(\s*(x|ext\.?)\s*\d{1,6})?$"
COORDINATES = r"^\(?-?\d{1,3}\.\d{2,}\s*[,; ]\s*-?\d{1,3}\.\d{2,}\)?$"

_ORDER = (
    ("uuid", UUID),
    ("email", EMAIL),
    ("url", URL),
    ("ip", IPV4),
    ("mac", MAC),
    ("ip", IPV6),
    ("hash", HASH),
    ("secret", CRYPT),
    ("secret", SECRET),
    ("crypto_address", CRYPTO_ADDRESS),
    ("json", JSON),
    ("xml", XML),
    ("coordinates", COORDINATES),
)
_PROVIDER_OF = {"hash": "token", "secret": "token", "crypto_address": "token"}
_MOST = 0.9
_PROBED = 12


def share(values: pa.Array, pattern: str) -> float:
    """The share of values that match a pattern; 0 where there are no values."""
    if not len(values):
        return 0.0
    return float(pc.mean(pc.cast(pc.match_substring_regex(values, pattern), pa.float64())).as_py())


def written_as(values: pa.Array) -> str:
    """The name of a kind of value that nearly all of these are, or nothing.

    One of uuid, email, url, ip, mac, hash, secret, crypto_address, json, xml, coordinates, iban,
    card.
    """
    probe = values[:_PROBED].to_pylist()
    for name, pattern in _ORDER:
        if likely(probe, pattern) and share(values, pattern) >= _MOST:
            return name
    for name, pattern, test in (("iban", IBAN, _iban_holds), ("card", CARD, luhn_holds)):
        numbered = likely(probe, pattern) and share(values, pattern) >= _MOST
        if numbered and _checked(values, test) >= _MOST:
            return name
    return ""


def likely(probe: Sequence[str], pattern: str) -> bool:
    """Whether at least half of a few values match: a look before all are matched."""
    matching = re.compile(pattern).search
    return 2 * sum(matching(text) is not None for text in probe) >= len(probe) > 0


def luhn_holds(text: str) -> bool:
    """Whether a number of a card has the right check digit."""
    digits = [int(c) for c in text if c.isdigit()]
    if not 12 <= len(digits) <= 19:
        return False
    doubled = [2 * d - 9 * (d > 4) for d in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _iban_holds(text: str) -> bool:
    plain = text.replace(" ", "").upper()
    turned = plain[4:] + plain[:4]
    if len(plain) < 15 or not turned.isalnum():
        return False
    return int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def _checked(values: pa.Array, test: object) -> float:
    texts = values[:500].to_pylist()
    assert callable(test)
    return sum(bool(test(text)) for text in texts) / max(len(texts), 1)


def text_provider(values: pa.Array) -> str:
    """The provider whose values look most like these: by form, then by words."""
    form = written_as(values)
    if form:
        return _PROVIDER_OF.get(form, form)
    if share(values, r"^\S*$") > 0.8:
        if share(values, r"[0-9]") > 0.5 or share(values, r"^[^a-z]*$") > 0.8:
            return "pattern"
        if share(values, r"[_@#$%&=]") > 0.5:
            return "pattern"
        return "label" if share(values, r"^\p{Lu}") > 0.5 else "text"
    if share(values, r"^[^a-z]*[0-9][^a-z]*$") > 0.8:
        return "pattern"
    lengths = pc.utf8_length(values)
    short = len(values) > 0 and float(pc.mean(lengths).as_py()) <= 40
    few_words = share(values, r"^\S+(\s+\S+){0,5}$") > 0.8
    capital = share(values, r"^[\p{Lu}\d\"'(]") > 0.7 and share(values, r"[.!?]\s*$") < 0.3
    return "label" if short and few_words and capital else "text"
