"""Numbers with a shape and check digits that a state or an industry gave them, by python-stdnum.

A random number passes a check of one digit in about one case of ten, so a few values prove nothing:
what counts is the share of valid values, and whether chance could have brought it about.
"""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_TRIED = 60
_PROBED = 12
_MOST = 0.9
_SOME = 0.6  # share of valid values that is enough where the name of the column says the same
_UNLIKELY = 4.5  # negative logarithm (base 10) of the chance that random numbers pass like this


@dataclass(frozen=True, slots=True)
class Number:
    """A kind of number.

    Attributes:
        module: Of stdnum, whose ``is_valid`` checks it; empty where the shape is all there is.
        concept: Of `dbsynth.classify.concepts`.
        shape: What it looks like without separators.
        luck: Negative logarithm (base 10) of the chance that a random number of the shape passes.
        alone: Whether values suffice; else the name of the column has to speak of such numbers.
    """

    module: str
    concept: str
    shape: str
    luck: float
    alone: bool = True

    @property
    def digits(self) -> int:
        """How many digits it always has; 0 where it has letters or several lengths."""
        found = re.fullmatch(r"(?:\[\d+\]|\d)?\\d\{(\d+)\}", self.shape)
        if not found:
            return 0
        return int(found[1]) + (not self.shape.startswith("\\d"))


_N, _T, _H = "national_id", "tax_id", "health_id"

NUMBERS = (
    Number("imei", "device_id", r"\d{15}", 1.0),
    Number("it.codicefiscale", _N, r"[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]", 2.0),
    Number("mx.curp", _N, r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d", 2.0),
    Number("fr.nir", _N, r"[12]\d{4}[\dAB]{2}\d{8}", 2.0),
    Number("cn.ric", _N, r"\d{17}[\dX]", 2.0),
    Number("pl.pesel", _N, r"\d{11}", 1.9),
    Number("br.cpf", _N, r"\d{11}", 2.0),
    Number("br.cnpj", _T, r"\d{14}", 2.0),
    Number("de.idnr", _N, r"\d{11}", 1.9),
    Number("be.nn", _N, r"\d{11}", 2.0),
    Number("no.fodselsnummer", _N, r"\d{11}", 3.0),
    Number("tr.tckimlik", _N, r"\d{11}", 2.0),
    Number("hr.oib", _T, r"\d{11}", 1.0, alone=False),
    Number("ee.ik", _N, r"\d{11}", 1.9),
    Number("it.iva", _T, r"\d{11}", 1.9),
    Number("ar.cuit", _T, r"(20|23|24|27|30|33|34)\d{9}", 1.0),
    Number("au.abn", _T, r"\d{11}", 1.9),
    Number("es.dni", _N, r"\d{8}[A-Z]", 1.3),
    Number("es.nie", _N, r"[XYZ]\d{7}[A-Z]", 1.3),
    Number("es.cif", _T, r"[A-HJNP-SUVW]\d{7}[0-9A-J]", 1.0),
    Number("nl.bsn", _N, r"\d{9}", 1.0),
    Number("pt.nif", _T, r"[1-35689]\d{8}", 1.0),
    Number("fr.siret", _T, r"\d{14}", 1.9),
    Number("fr.siren", _T, r"\d{9}", 1.0, alone=False),
    Number("ca.sin", _N, r"\d{9}", 1.0, alone=False),
    Number("pl.nip", _T, r"\d{10}", 1.0),
    Number("pl.regon", _T, r"\d{9}(\d{5})?", 1.0, alone=False),
    Number("at.vnr", _N, r"\d{10}", 1.0, alone=False),
    Number("ch.ssn", _N, r"756\d{10}", 1.0),
    Number("se.personnummer", _N, r"(19|20)?\d{10}", 2.0),
    Number("fi.hetu", _N, r"\d{6}[+A-FU-Y-]\d{3}[0-9A-Y]", 1.5),
    Number("dk.cpr", _N, r"\d{10}", 1.5, alone=False),
    Number("cz.rc", _N, r"\d{10}", 1.9),
    Number("ro.cnp", _N, r"\d{13}", 3.0),
    Number("bg.egn", _N, r"\d{10}", 1.9),
    Number("si.emso", _N, r"\d{13}", 3.0),
    Number("za.idnr", _N, r"\d{13}", 2.5),
    Number("th.pin", _N, r"\d{13}", 1.0, alone=False),
    Number("kr.rrn", _N, r"\d{13}", 2.5),
    Number("il.idnr", _N, r"\d{9}", 1.0, alone=False),
    Number("in_.aadhaar", _N, r"[2-9]\d{11}", 1.0, alone=False),
    Number("in_.pan", _T, r"[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z]", 4.0),
    Number("cl.rut", _N, r"\d{7,8}[\dK]", 1.0, alone=False),
    Number("gb.nhs", _H, r"\d{10}", 1.0, alone=False),
    Number("eu.vat", _T, r"[A-Z]{2}[A-Z0-9]{8,12}", 1.0),
    Number("", _N, r"[A-CEGHJ-PR-TW-Z]{2}\d{6}[A-D]", 4.0),  # National Insurance, Great Britain
)  # fmt: skip
_SHAPED = {number.shape: re.compile(number.shape) for number in NUMBERS}
_SOCIAL_SECURITY = re.compile(r"(?!000|666|9)\d{3}-\d{2}-\d{4}")
_CARD = re.compile(
    r"4\d{12}(\d{3}){0,2}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3(0[0-5]|[68]\d)\d{11}"
    r"|6(011|5\d\d|4[4-9]\d)\d{12,15}|35[2-8]\d{13}|(5018|5020|5038|6304|6759|676[1-3])\d{8,15}"
)
_SEPARATORS = str.maketrans("", "", " .-/\u00a0")


def known_number(texts: Sequence[str], hinted: str, *, whole: bool) -> str:
    """The concept of the numbers that nearly all of these texts are, or nothing.

    Args:
        texts: Different values.
        hinted: The concept that the column's name suggests, or nothing.
        whole: Whether they come from a column of whole numbers, which knows no leading nought.
    """
    tried = [text.strip() for text in texts[:: max(1, len(texts) // _TRIED)][:_TRIED]]
    if not tried:
        return ""
    if _share(tried, lambda text: bool(_SOCIAL_SECURITY.fullmatch(text))) >= _MOST:
        return "national_id"
    compact = [text.translate(_SEPARATORS).upper() for text in tried]
    if _share(compact, _is_numbered) < _SOME:
        return ""
    if _holds(compact, _is_card, 1.6, hinted == "card"):
        return "card"
    fitting = [n for n in NUMBERS if _may_be(n, compact, hinted, whole=whole)]
    fitting.sort(key=lambda number: (number.concept != hinted, -number.luck))
    for number in fitting:
        padded = [t.zfill(number.digits) for t in compact] if whole and number.digits else compact
        if _holds(padded, _check(number), number.luck, number.concept == hinted):
            return number.concept
    return ""


def _is_numbered(text: str) -> bool:
    return 7 <= len(text) <= 19 and sum(map(str.isdigit, text)) >= 4


_FAMILY = frozenset(["national_id", "tax_id", "health_id", "passport", "driving_licence"])


def _may_be(number: Number, texts: Sequence[str], hinted: str, *, whole: bool) -> bool:
    """Whether the texts have the shape, and the name speaks of such numbers where it has to."""
    if not number.alone and hinted not in ({number.concept} | _FAMILY):
        return False
    if whole and number.digits:
        lengths = sorted(map(len, texts))
        return lengths[-1] == number.digits and lengths[0] > number.digits - 3
    matching = _SHAPED[number.shape].fullmatch
    return _share(texts, lambda text: bool(matching(text))) >= _SOME


def _check(number: Number) -> Callable[[str], bool]:
    shape = _SHAPED[number.shape]
    if not number.module:
        return lambda text: bool(shape.fullmatch(text))
    valid = importlib.import_module(f"stdnum.{number.module}").is_valid
    return lambda text: bool(shape.fullmatch(text)) and _is_valid(valid, text)


def _is_valid(valid: Callable[[str], bool], text: str) -> bool:
    """Whether a check holds; some trip over numbers whose parts they cannot look up."""
    try:
        return bool(valid(text))
    except (LookupError, ValueError, TypeError, AttributeError):
        return False


def _share(texts: Sequence[str], holds: Callable[[str], bool]) -> float:
    return sum(map(holds, texts)) / len(texts)


def _holds(texts: Sequence[str], valid: Callable[[str], bool], luck: float, named: bool) -> bool:
    """Whether so many texts are valid that chance is no explanation."""
    enough = _SOME if named else _MOST
    if len(texts) > _PROBED and _share(texts[:_PROBED], valid) < enough / 2:
        return False
    share = _share(texts, valid)
    if share < enough:
        return False
    passed = share * len(texts)
    return named or passed * luck - math.log10(math.comb(len(texts), round(passed))) >= _UNLIKELY


def luhn_holds(text: str) -> bool:
    """Whether the last digit of a number is that of Luhn's formula."""
    digits = [int(c) for c in text if c.isdigit()]
    doubled = [2 * d - 9 * (d > 4) for d in digits[-2::-2]]
    return bool(digits) and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_card(text: str) -> bool:
    return bool(_CARD.fullmatch(text)) and luhn_holds(text)


def is_article(texts: Sequence[str]) -> bool:
    """Whether nearly all texts are numbers of articles or books (EAN, UPC, ISBN)."""
    tried = [text.translate(_SEPARATORS) for text in texts[:_TRIED]]
    return bool(tried) and _holds(tried, _is_article, 1.0, named=False)


def _is_article(text: str) -> bool:
    if len(text) not in (8, 12, 13, 14) or not text.isdigit():
        return False
    weighted = (int(d) * (3 if i % 2 else 1) for i, d in enumerate(reversed(text)))
    return sum(weighted) % 10 == 0


def are_telephones(texts: Sequence[str]) -> bool:
    """Whether nearly all texts are written like telephone numbers and could be ones."""
    tried = texts[:: max(1, len(texts) // _TRIED)][:_TRIED]
    shaped = [text for text in tried if _TELEPHONE.fullmatch(text.strip())]
    if len(tried) < 3 or len(shaped) < _MOST * len(tried):
        return False
    return sum(map(_dialled, shaped)) >= _MOST * len(tried)


_TELEPHONE = re.compile(
    r"(\+|00)\d[\d ()./-]{6,17}\d|\(\d{2,5}\)[\d ./-]{5,12}\d|0\d{1,4}[ /-][\d ./-]{5,14}\d"
    r"|\d{3}[-. ]\d{3}[-. ]\d{4}(\s*(x|ext\.?)\s*\d{1,6})?"
    r"|\(?\d{3}\)?[-. ]+\d{3}[-. ]\d{4}\s*(x|ext\.?)\s*\d{1,6}|0\d(([ .]\d{2}){4})"
)
_REGIONS = ("US", "GB", "DE", "FR", "ES", "PL", "BR", "IT", "NL")


def _dialled(text: str) -> bool:
    import phonenumbers  # heavy, and only needed where numbers look like this

    regions: tuple[str | None, ...] = (None,) if text.strip().startswith("+") else _REGIONS
    for region in regions:
        try:
            if phonenumbers.is_possible_number(phonenumbers.parse(text, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False
