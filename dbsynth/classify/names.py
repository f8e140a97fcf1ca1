"""What the names of tables and columns say, by the words of eight languages under ``words/``."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from dbsynth.schema import Table

Words = tuple[str, ...]


def words_of(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


_LONG = str.maketrans({"ß": "ss", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae"})
_LISTS = ("persons", "vague_persons", "entities", "products", "companies", "heads", "leads",
          "numbered", "amounts", "glue", "machines")  # fmt: skip
_SHORT = words_of("nr no id ip tel zip plz geb fax adr num iban dob ssn bsn dni cpf nif")
_LONGEST_PHRASE = 5
_FEWEST_ALIKE = 3
_MOST_ALIKE = 0.6
_MOST_PIECES = 3
_SHORTEST_PIECE = 4
_NAMING = words_of("name names nom nombre nome nazwa naam nm")
_DECORATION = words_of(
    "tbl t table info data col fld str txt f c my old new original desired previous prev former"
    " other"
)
_BY = words_of("by par por przez von da door")
_GRAMMAR = words_of("de da do di del van von of the la le du des")

IDENTIFYING = re.compile(
    r"name|e_?mail|phone|mobile|fax|addr|street|ssn|social_?sec|passport|iban|card|account"
    r"|(^|_)ip(_|$)|ipaddr|url|token|password|passwd|secret|api_?key|birth_?place|licen[cs]e"
    r"|vat|tax_?id|login|nick",
    re.IGNORECASE,
)
"""Names of columns whose vocabulary is not shown when it is large, whatever the values."""


@dataclass(frozen=True, slots=True)
class Hint:
    """What a name says: a concept, and whether that is sure or has to be seen in the values."""

    concept: str = ""
    sure: bool = False


NOTHING = Hint()


@dataclass(frozen=True)
class Vocabulary:
    """The words of all languages.

    Attributes:
        phrases: The hint of each phrase; the first language that has a phrase decides.
        lists: The words of each list, as ``persons`` or ``amounts``.
        known: Every word that stands somewhere, into which run-together names are taken apart.
    """

    phrases: Mapping[Words, Hint]
    lists: Mapping[str, frozenset[str]]
    known: frozenset[str]


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """The words, read once."""
    phrases: dict[Words, Hint] = {}
    lists: dict[str, set[str]] = {name: set() for name in _LISTS}
    for key, text in _entries():
        if key in lists:
            lists[key].update(text.split())
            continue
        for phrase in text.split("|"):
            words = tuple(phrase.strip().rstrip("?").split())
            phrases.setdefault(words, Hint(key, not phrase.strip().endswith("?")))
    known = {word for phrase in phrases for word in phrase}
    known.update(*lists.values())
    return Vocabulary(phrases, {n: frozenset(w) for n, w in lists.items()}, frozenset(known))


def _entries() -> Iterator[tuple[str, str]]:
    """Each key of the files with its text, English first."""
    files = [f for f in resources.files("dbsynth.classify").joinpath("words").iterdir()
             if f.name.endswith(".txt")]  # fmt: skip
    for file in sorted(files, key=lambda f: (f.name != "en.txt", f.name)):
        joined = re.sub(r"\n\s+", " ", file.read_text(encoding="utf-8"))
        for line in joined.splitlines():
            key, _, text = line.partition(":")
            yield key, text


def _listed(name: str, word: str) -> bool:
    words = vocabulary().lists[name]
    return word in words or singular(word) in words


@lru_cache(maxsize=8_192)
def tokens_of(name: str) -> Words:
    """The words of a name, in plain lower-case letters: ``custFirstName2`` is cust first name 2."""
    plain = unicodedata.normalize("NFKD", name.translate(_LONG))
    plain = plain.encode("ascii", "ignore").decode()
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z]+)([A-Z][a-z])", r"\1\3 \2\4", plain)
    spaced = re.sub(r"([A-Za-z])(\d)|(\d)([A-Za-z])", r"\1\3 \2\4", spaced)
    words = re.findall(r"[a-z]+|\d+", spaced.lower())
    return tuple(piece for word in words for piece in _apart(word))


@lru_cache(maxsize=8_192)
def _apart(word: str) -> Words:
    """The words that were run together in one; the word itself where it is known or none fit."""
    known = vocabulary().known
    if word in known or singular(word) in known:
        return (word,)
    return _pieces(word, _MOST_PIECES) or (word,)


def _pieces(word: str, most: int) -> Words:
    """The fewest known words that make up another, with German s and n between them."""
    if _is_piece(word):
        return (word,)
    best: Words = ()
    for cut in range(len(word) - 2, 1, -1) if most > 1 else ():
        head = word[:cut]
        if not (
            _is_piece(head) or (cut > _SHORTEST_PIECE and head[-1] in "sn" and _is_piece(head[:-1]))
        ):
            continue
        rest = _pieces(word[cut:], most - 1)
        if rest and (not best or len(rest) + 1 < len(best)):
            best = (head if _is_piece(head) else head[:-1], *rest)
    return best


def _is_piece(word: str) -> bool:
    return word in _SHORT or (len(word) >= _SHORTEST_PIECE and word in vocabulary().known)


def singular(word: str) -> str:
    """A plural without its ending, roughly."""
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("s", "")):
        if word.endswith(ending) and not word.endswith("ss") and len(word) > 3:
            return word[: -len(ending)] + instead
    return word


def _bare(words: Words) -> Words:
    return tuple(w for w in words if not w.isdigit() and w not in _DECORATION)


def names_persons(words: Words) -> bool:
    """Whether the last word of a table's name, or its only first one, is a kind of person."""
    plain = _bare(words)
    return bool(plain) and any(_listed("persons", w) for w in {plain[-1], plain[0]})


def names_companies(words: Words) -> bool:
    """Whether a table's name says that its rows are firms."""
    plain = _bare(words)
    return bool(plain) and _listed("companies", plain[-1])


def names_entity(words: Words) -> bool:
    """Whether a table's name says that its rows are things of the business, not a vocabulary."""
    plain = _bare(words)
    return bool(plain) and (_listed("entities", plain[-1]) or _listed("persons", plain[-1]))


def is_person_word(word: str) -> bool:
    """Whether a word is a kind of person."""
    return _listed("persons", word)


def is_product_word(words: Words) -> bool:
    """Whether a name is one that stands beside those of goods: a price, a stock."""
    return any(_listed("products", w) for w in words)


def is_amount(words: Words) -> bool:
    """Whether a name says that the column counts or measures."""
    return any(_listed("amounts", w) for w in words)


def is_numbered(words: Words) -> bool:
    """Whether a name ends like that of an identifier: id, no, number, code."""
    return bool(words) and (
        words[-1] in vocabulary().lists["numbered"] or words[-1].endswith(("nummer", "number"))
    )


def concept_of(column: str, table: str = "") -> str:
    """What a column's name says it holds: the name of a concept, or nothing."""
    return hint_of(column, table).concept


@lru_cache(maxsize=8_192)
def hint_of(column: str, table: str = "") -> Hint:
    """What a column's name says it holds, in a table of this name."""
    words = _trimmed(tokens_of(column))
    owner = tokens_of(table)
    hint = _of_words(words)
    if not hint.sure or hint.concept == "label":
        hint = _of_both(words, owner) or hint
    if hint.concept not in ("label", "") or not words:
        return hint
    named = _named_after(words, owner)
    if named is None and len(words) > 1 and (len(words[0]) == 1 or words[0] in _DECORATION):
        words = words[1:]  # a prefix that says whose column it is
        hint = hint if hint.concept else _of_words(words)
        named = _named_after(words, owner) if hint.concept in ("label", "") else None
    return named or hint


def _of_both(words: Words, table: Words) -> Hint | None:
    """What the table's name and the column's say together: ``number`` of ``credit_cards``."""
    owner = tuple(map(singular, _bare(table)))
    if is_naming(words) and names_persons(table):
        return None
    phrases = vocabulary().phrases
    for size in range(min(len(owner), 2), 0, -1):
        tail = owner[-size:]
        found = phrases.get(tail if words == tail[-1:] else tail + words)
        if found and found.sure and found.concept != "label":
            return found
    return None


def _trimmed(words: Words) -> Words:
    """The words without numbers at their end, unless the number belongs to the phrase."""
    while words and words[-1].isdigit() and words not in vocabulary().phrases:
        words = words[:-1]
    return words


def _of_words(words: Words) -> Hint:
    whole = vocabulary().phrases.get(words)
    if whole:
        return whole
    if not words or words[0] in vocabulary().lists["leads"]:
        return _leading(words)
    return _part(words)


def _leading(words: Words) -> Hint:
    """The hint of a phrase that begins with a word like date or type and goes on to the end."""
    for size in range(len(words) - 1, 1, -1):
        hint = vocabulary().phrases.get(words[:size])
        if hint and not any(w in vocabulary().lists["heads"] for w in words[size:]):
            return _settled(hint, words[size:], alone=False)
    return NOTHING


def _part(words: Words) -> Hint:
    """The hint of the longest phrase; nothing where a later word makes it a property of it."""
    phrases, heads = vocabulary().phrases, vocabulary().lists["heads"]
    for size in range(min(len(words), _LONGEST_PHRASE), 0, -1):
        for start in range(len(words) - size, -1, -1):
            piece, rest = words[start : start + size], words[start + size :]
            hint = phrases.get(piece) or phrases.get(tuple(map(singular, piece)))
            hint = hint or phrases.get(("".join(piece),))
            if hint and not any(w in heads for w in rest):
                return _settled(hint, rest, alone=size == 1)
    return NOTHING


def _settled(hint: Hint, rest: Words, *, alone: bool) -> Hint:
    """The hint, unless a short phrase stands before words that change its meaning."""
    after = tuple(w for w in rest if w not in _GRAMMAR and not w.isdigit())
    if not after:
        return hint
    usual = vocabulary().lists
    qualified = all(
        w in usual["glue"] or w in usual["numbered"] or w in _DECORATION or is_person_word(w)
        for w in after
    )
    if hint.concept == "label" or (alone and not hint.sure and not qualified):
        return NOTHING
    return hint if qualified else Hint(hint.concept, False)


def _named_after(words: Words, table: Words) -> Hint | None:
    """``name`` in a table of persons or firms, ``<person> name``, or a person's word at the end."""
    if len(words) == 1 and words[0] in _NAMING:
        if names_persons(table):
            return Hint("full_name", True)
        return Hint("company", True) if names_companies(table) else None
    if words[-1] in vocabulary().lists["machines"]:
        return None
    glued = re.fullmatch(r"([a-z]{4,})(name|names)", words[-1])
    if glued and (is_person_word(glued[1]) or is_person_word(glued[1].removesuffix("n"))):
        return Hint("full_name", True)
    if words[-1] in _NAMING:
        return _owner_of_name(words[-2], table)
    if words[-1] in _BY:
        return Hint("full_name", False)
    words = tuple(w for w in words if w not in ("or", "and", "of", "the", "vice"))
    vague = not words or _listed("vague_persons", words[-1])
    person = words and len(words) <= 3 and is_person_word(words[-1]) and not vague
    return Hint("full_name", False) if person else None


def _owner_of_name(word: str, table: Words) -> Hint | None:
    if is_person_word(word) or (word in table and names_persons(table)):
        return Hint("full_name", True)
    firm = _listed("companies", word) or (word in table and names_companies(table))
    return Hint("company", True) if firm else None


def is_naming(words: Words) -> bool:
    """Whether a name is the word for name and nothing else."""
    return len(words) == 1 and words[0] in _NAMING


def bare_names(table: Table) -> dict[str, str]:
    """The names of the columns without a word that most of them begin or end with."""
    tokens = {column.name: tokens_of(column.name) for column in table.columns}
    owner = {*tokens_of(table.bare), *map(singular, tokens_of(table.bare))}
    for end in (0, -1):
        counts = Counter(words[end] for words in tokens.values() if len(words) > 1)
        word, count = counts.most_common(1)[0] if counts else ("", 0)
        meant = word in vocabulary().known and word not in owner and not is_person_word(word)
        if count >= _FEWEST_ALIKE and count > _MOST_ALIKE * len(tokens) and not meant:
            tokens = {
                name: words if len(words) < 2 or words[end] != word
                else (words[1:] if end == 0 else words[:-1])
                for name, words in tokens.items()
            }  # fmt: skip
    return {name: "_".join(words) for name, words in tokens.items()}
