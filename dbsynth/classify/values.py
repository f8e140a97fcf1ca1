"""What the values of a column say: how they repeat, how they are written, whose names they are."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.identifiers.faker import known_names
from dbsynth.identifiers.recognise import DECIMAL, INTEGER, share

_SHORTEST_TELLING = 4
_FEWEST = 20
_TRIED = 2_000
_MOST_DECIMALS = 9
_PROBED = 6
_READ = 150
_LONGEST_NAME = 120


@dataclass(frozen=True)
class Facts:
    """How the values of a column repeat in the sample.

    Attributes:
        kept: Number of values that at least k rows share.
        covered: Share of the non-null rows that hold such a value.
        near_unique: Whether values hardly repeat, also among those of four characters and more.
        mean_length, longest: Of the distinct texts; 0 for other types.
    """

    rows: int
    present: int
    distinct: int
    kept: int
    covered: float
    near_unique: bool
    mean_length: float
    longest: int
    examples: pa.Array

    @property
    def constant(self) -> bool:
        """Whether one value stands in all rows."""
        return self.distinct == 1 and self.present == self.rows


def facts_of(values: pa.Array, k: int) -> Facts:
    """The facts of a sample."""
    present = values.drop_null()
    if pa.types.is_binary(present.type) or not len(present):
        return Facts(len(values), len(present), min(len(present), 2), 0, 0.0, len(present) > 1,
                     0.0, 0, present[:0])  # fmt: skip
    counted = pc.value_counts(present)
    distinct = counted.field("values")
    counts = counted.field("counts").to_numpy().astype(np.int64)
    keep = counts >= k
    near = len(counts) > 0.5 * len(present)
    mean, longest = 0.0, 0
    if pa.types.is_string(distinct.type):
        lengths = pc.utf8_length(distinct).to_numpy()
        mean, longest = float(lengths.mean()), int(lengths.max())
        telling = lengths >= _SHORTEST_TELLING
        near |= telling.sum() >= _FEWEST and telling.sum() > 0.5 * counts[telling].sum()
    covered = float(counts[keep].sum() / counts.sum())
    step = max(1, len(distinct) // _TRIED)
    examples = distinct.take(pa.array(np.arange(0, len(distinct), step)[:_TRIED]))
    return Facts(len(values), len(present), len(distinct), int(keep.sum()), covered, bool(near),
                 mean, longest, examples)  # fmt: skip


_PARTICLES = frozenset(
    [
        "van",
        "von",
        "der",
        "den",
        "de",
        "del",
        "della",
        "di",
        "da",
        "do",
        "dos",
        "das",
        "du",
        "la",
        "le",
        "el",
        "los",
        "ter",
        "ten",
        "zu",
        "y",
        "e",
        "af",
        "al",
        "bin",
        "ibn",
        "mr",
        "mrs",
        "ms",
        "miss",
        "dr",
        "prof",
        "sir",
        "rev",
        "fr",
        "sr",
        "sra",
        "dhr",
        "mevr",
        "herr",
        "frau",
        "pan",
        "pani",
        "jr",
        "iii",
        "ii",
    ]
)
_MOST_NAMES = 0.6
_HALF = 0.45


def person_names(examples: pa.Array) -> str:
    """``full_name``, ``first_name`` or ``last_name`` where most values are names, else nothing."""
    texts = _short(examples)
    if len(texts) < 2:
        return ""
    given, family = known_names()
    split = [_name_words(text) for text in texts]
    several = [words for words in split if 2 <= len(words) <= 4]
    if len(several) > 0.7 * len(texts):
        both = sum(_is_person(words, given, family) for words in several)
        return "full_name" if both > _HALF * len(texts) else ""
    single = [words[0] for words in split if len(words) == 1]
    if len(single) < max(3, 0.8 * len(texts)):
        return ""
    if sum(word in given for word in single) > _MOST_NAMES * len(texts):
        return "first_name"
    known = sum(word in family for word in single)
    return "last_name" if known > _MOST_NAMES * len(texts) else ""


def _short(examples: pa.Array) -> list[str]:
    """Some values, where hardly any is too long for a name."""
    some = examples[:_READ]
    short = some.filter(pc.less_equal(pc.utf8_length(some), _LONGEST_NAME))
    return [t for t in short.to_pylist() if t] if len(short) >= 0.8 * len(some) else []


def mention_names(examples: pa.Array) -> bool:
    """Whether at least half of the values contain a word that is somebody's name."""
    given, family = known_names()
    texts = _short(examples)
    capital = (re.findall(r"[^\W\d_]{3,}", t.casefold()) for t in texts if t[:1].isupper())
    found = sum(any(w in given or w in family for w in words) for words in capital)
    return bool(texts) and found >= _HALF * len(texts)


def _name_words(text: str) -> list[str]:
    """The words of a name, without particles and titles."""
    words = re.findall(r"[^\W\d_](?:[\w'\u2019-]*)", text.casefold())
    if re.search(r"[0-9_@/\\:;#]", text):
        return []
    return [w for w in words if w not in _PARTICLES] or words


def _is_person(words: list[str], given: frozenset[str], family: frozenset[str]) -> bool:
    first, last = words[0], words[-1]
    if len(first) == 1 or len(last) == 1:  # an initial stands for the given name
        return (last if len(first) == 1 else first) in family
    return (first in given and last in family) or (last in given and first in family)


_DATE_FORMS = (
    (r"^\d{4}-\d{1,2}-\d{1,2}$", "%Y-%m-%d"),
    (r"^\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d\d:\d\d$", "%Y-%m-%d %H:%M:%S"),
    (r"^\d{4}-\d{1,2}-\d{1,2}T\d{1,2}:\d\d:\d\d$", "%Y-%m-%dT%H:%M:%S"),
    (r"^\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d\d$", "%Y-%m-%d %H:%M"),
    (r"^\d{4}/\d{1,2}/\d{1,2}$", "%Y/%m/%d"),
    (r"^\d{4}/\d{1,2}/\d{1,2} \d{1,2}:\d\d:\d\d$", "%Y/%m/%d %H:%M:%S"),
    (r"^\d{1,2}/\d{1,2}/\d{4}$", "%m/%d/%Y"),
    (r"^\d{1,2}/\d{1,2}/\d{4}$", "%d/%m/%Y"),
    (r"^\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d:\d\d$", "%m/%d/%Y %H:%M:%S"),
    (r"^\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d:\d\d$", "%d/%m/%Y %H:%M:%S"),
    (r"^\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d$", "%m/%d/%Y %H:%M"),
    (r"^\d{1,2}\.\d{1,2}\.\d{4}$", "%d.%m.%Y"),
    (r"^\d{1,2}\.\d{1,2}\.\d{4} \d{1,2}:\d\d:\d\d$", "%d.%m.%Y %H:%M:%S"),
    (r"^\d{1,2}-\d{1,2}-\d{4}$", "%d-%m-%Y"),
    (r"^\d{1,2}-\d{1,2}-\d{4}$", "%m-%d-%Y"),
    (r"^\d{1,2} [A-Z][a-z]{2} \d{4}$", "%d %b %Y"),
    (r"^\d{1,2}-[A-Z][a-z]{2}-\d{4}$", "%d-%b-%Y"),
    (r"^[A-Z][a-z]{2} \d{1,2}, \d{4}$", "%b %d, %Y"),
    (r"^[A-Z][a-z]{2,8} \d{1,2}, \d{4}$", "%B %d, %Y"),
    (r"^\d{1,2} [A-Z][a-z]{2,8} \d{4}$", "%d %B %Y"),
    (r"^\d{1,2}:\d\d:\d\d$", "%H:%M:%S"),
    (r"^([01]?\d|2[0-3]):[0-5]\d$", "%H:%M"),
)


def date_form(examples: pa.Array) -> str:
    """The strptime format that every value follows, or nothing."""
    texts = pc.utf8_trim_whitespace(examples)
    probe = texts[:_PROBED].to_pylist()
    for pattern, form in _DATE_FORMS:
        if not all(re.search(pattern, text) for text in probe) or share(texts, pattern) < 1.0:
            continue
        parsed = pc.strptime(texts, format=form, unit="s", error_is_null=True)
        if not parsed.null_count:
            return form
    return ""


def number_form(examples: pa.Array) -> str:
    """``integer``, ``decimal:2`` or nothing: whether every value is a number, with which digits."""
    if not len(examples) or share(examples, DECIMAL) < 1.0:
        return ""
    if share(examples, r"^\s*[+-]?0\d") > 0:
        return ""
    if share(examples, INTEGER) == 1.0:
        return "integer"
    digits = pc.utf8_length(pc.replace_substring_regex(examples, r"^[^.]*\.?", ""))
    return f"decimal:{min(int(pc.max(digits).as_py()), _MOST_DECIMALS)}"
