"""What a column holds, by its name and its values: which of the two speaks, and how surely."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from dbsynth.classify.concepts import concept
from dbsynth.classify.names import Hint, words_of
from dbsynth.classify.numbers import are_telephones, is_article, known_number
from dbsynth.classify.values import Facts, date_form, mention_names, person_names
from dbsynth.classify.vocabularies import is_vocabulary, known_places
from dbsynth.identifiers.recognise import share, written_as
from dbsynth.schema import Column, Kind

_FEWEST = 4  # fewer different values are told by their name, not by themselves
_FEW_NAMES = 8
_LONG = 50
_DOCUMENT = 10_000  # characters, which are no key of a person's and take long to read
_HALF = 0.5
_MOST = 0.8
_FEW_WORDS = 12
_PAPERS = words_of("health_id passport driving_licence")
_WHOLE = (Kind.INTEGER, Kind.DECIMAL)
_STREET = (
    r"(?i)\b(street|st|road|rd|avenue|ave|lane|drive|dr|court|ct|blvd|boulevard|square|terrace|way"
    r"|rue|chemin|place|all[ée]e|quai|calle|c/|avda|avenida|paseo|plaza|carrera|rua|travessa"
    r"|pra[çc]a|rodovia|ul|ulica|aleja|al|os|plac|pl|via|viale|piazza|corso|largo|vicolo)\b"
    r"|, [A-Z]{2} \d{5}(-\d{4})?$|(stra(ss|ß)e|str\.|weg|gasse|platz|allee|ring|straat|laan|plein"
    r"|gracht|kade|dijk)\b"
)
_COMPANY = (
    r"(?i)[\s,](inc|ltd|limited|llc|llp|plc|corp|co|gmbh|mbh|ag|kg|kgaa|ohg|e\.? ?k|ug|gbr|sarl"
    r"|sasu?|sa|s\.a|eurl|s\.?l|s\.l\.u|ltda|lda"
    r"|sp\. ?z ?o\.? ?o|sp\. ?j|s\.c|s\.?r\.?l|s\.?p\.?a"
    r"|snc|b\.?v|n\.?v|v\.o\.f|ab|oyj?|a/s|aps|kft|pty|group|holdings?|company|corporation|bank|gruppe"
    r"|(&|and|und|et|e|i|y|en) (sons|co|partners?|söhne|fils|hijos|synowie|zonen|figli|filhos))\.?$"
)
_HUMBLE = frozenset(["", "label", "text", "vocabulary", "path", "bic", "hash"])


@dataclass(frozen=True, slots=True)
class Finding:
    """What a column holds.

    Attributes:
        by: ``name``, ``values`` or, where both say the same, ``both``.
        confidence: From 0 to 1.
    """

    concept: str = ""
    by: str = ""
    confidence: float = 0.0

    @property
    def decided_by(self) -> str:
        """``name`` or ``values``."""
        return "name" if self.by == "name" else "values"

    @property
    def reason(self) -> str:
        """One sentence without any value."""
        words = self.concept.replace("_", " ")
        match self.by:
            case "both":
                return f"Its name says {words}, and its values are written like that"
            case "values":
                return f"Its values are written like {words}"
            case _:
                return f"Its name says {words}"


NOTHING = Finding()


def find_concept(column: Column, facts: Facts, hint: Hint) -> Finding:
    """What a column holds, judged by itself."""
    if column.kind in _WHOLE:
        return _of_numbers(column, facts, hint)
    if column.kind in (Kind.TEXT, Kind.OTHER):
        return _of_texts(facts, hint)
    if column.kind in (Kind.DATE, Kind.TIMESTAMP):
        dated = hint.concept in ("birth_date", "death_date")
        return Finding(hint.concept, "name", 0.9) if dated else NOTHING
    if column.kind is Kind.FLOAT:
        return _of_floats(column, facts, hint)
    listed = column.kind is Kind.ENUM and hint.concept in ("sex", "marital_status", "name_title")
    return Finding(hint.concept, "name", 0.9) if listed else NOTHING


def _of_floats(column: Column, facts: Facts, hint: Hint) -> Finding:
    """Numbers with a fraction are places; whole ones may be what whole numbers are."""
    if hint.concept == "coordinates":
        return Finding("coordinates", "name", 0.8)
    whole = len(facts.examples) and all(float(n).is_integer() for n in facts.examples.to_pylist())
    return _of_numbers(column, facts, hint) if whole else NOTHING


def _of_numbers(column: Column, facts: Facts, hint: Hint) -> Finding:
    """Whole numbers may be telephones, cards or numbers of a state."""
    if hint.concept == "coordinates":
        return Finding("coordinates", "name", 0.8) if column.scale else NOTHING
    if column.scale:
        return NOTHING
    texts = _plain_numbers(facts.examples)
    if not texts:
        sure = hint.sure and concept(hint.concept).numeric
        return Finding(hint.concept, "name", 0.6) if sure else NOTHING
    if not any(text.startswith("-") or "." in text for text in texts):
        number = known_number(texts, hint.concept, whole=True)
        if number:
            return _agreed(number, hint)
    if concept(hint.concept).numeric and (hint.sure or _telling(texts, hint.concept)):
        return Finding(hint.concept, "name", 0.8)
    return NOTHING


def _plain_numbers(examples: pa.Array) -> list[str]:
    """Numbers as texts, without a point where they are whole."""
    if pa.types.is_floating(examples.type):
        return [f"{number:.15g}" for number in examples.to_pylist()]
    return [str(number) for number in examples.to_pylist()]


def _telling(texts: list[str], name: str) -> bool:
    """Whether numbers are long enough to be what a vague name suggests."""
    least = {"card": 12, "postcode": 4, "bank_account": 5, "national_id": 7, "tax_id": 8}.get(
        name, 6
    )
    long = sum(len(text) >= least for text in texts)
    return long > _MOST * len(texts) and name not in ("birth_date", "sex", "house_number")


def _of_texts(facts: Facts, hint: Hint) -> Finding:
    examples = facts.examples
    if not len(examples):
        return Finding(hint.concept, "name", 0.7) if hint.sure else NOTHING
    if facts.mean_length > _DOCUMENT:
        return Finding("text", "values", 0.6)
    form = _form(examples, hint)
    if form:
        return _agreed(form, hint)
    if date_form(examples):
        born = hint.concept in ("birth_date", "death_date")
        return Finding(hint.concept, "name", 0.9) if born else NOTHING
    texts = [text for text in examples[:300].to_pylist() if text.strip()]
    number = known_number(texts, hint.concept, whole=False) if texts else ""
    if number:
        agreed = number == "national_id" and hint.sure and hint.concept in _PAPERS
        return _agreed(hint.concept if agreed else number, hint)
    return _named(facts, hint, texts) or _unnamed(facts, hint, texts)


def _form(examples: pa.Array, hint: Hint) -> str:
    """A form that is nearly never anything else, read in the light of the name."""
    form = written_as(examples)
    if form in ("hash", "uuid") and hint.concept == "secret" and hint.sure:
        return "secret"
    if form == "url" and hint.concept == "secret":
        return "secret"
    return "" if form in ("json", "xml", "card") else form


def _agreed(found: str, hint: Hint) -> Finding:
    """What the values say, with the name's word on it."""
    return Finding(found, "both", 1.0) if found == hint.concept else Finding(found, "values", 0.95)


def _named(facts: Facts, hint: Hint, texts: list[str]) -> Finding | None:
    """What the name says, where values do not contradict; a mere hint has to be seen in them."""
    if not hint.concept or hint.concept in _HUMBLE:
        return None
    seen = _SEEN.get(hint.concept)
    if hint.sure:
        proof = concept(hint.concept).proof
        if proof and share(facts.examples, proof) < _HALF:
            return _instead(facts, hint)
        refuted = _REFUTED.get(hint.concept)
        other = refuted(facts, texts) if refuted else ""
        if other == "label":
            return _unnamed(facts, Hint(other), texts)
        return Finding(other or hint.concept, "values" if other else "name", 0.85)
    strict = concept(hint.concept).strict
    shown = seen(facts, texts) if seen else bool(strict) and share(facts.examples, strict) >= _MOST
    return Finding(hint.concept, "both", 0.9) if shown else None


def _instead(facts: Facts, hint: Hint) -> Finding | None:
    """What a column is whose name is sure and whose values are no such thing."""
    login = hint.concept == "email" and share(facts.examples, r"^[A-Za-z][\w.-]*$") >= _MOST
    return Finding("user_name", "values", 0.7) if login and facts.near_unique else None


def _unnamed(facts: Facts, hint: Hint, texts: list[str]) -> Finding:
    """What values say by themselves, where they can."""
    humble = Finding(hint.concept, "name", 0.5) if hint.concept in _HUMBLE else NOTHING
    if hint.concept == "path":
        return humble
    if are_telephones(texts) and not is_article(texts):
        return Finding("phone", "values", 0.9)
    prose = hint.concept == "text" and facts.mean_length > _LONG
    named = "" if prose else person_names(facts.examples)
    if named == "full_name":
        return Finding(named, "values", 0.85)
    if len(texts) < _FEWEST:
        return humble
    if named == "first_name" and len(texts) >= _FEW_NAMES and not _public(texts):
        return Finding(named, "values", 0.7)
    if _streets(facts) and share(facts.examples, r"\d") >= _MOST:
        return Finding("street_address", "values", 0.8)
    if facts.mean_length < _LONG and share(facts.examples, _COMPANY) >= _HALF:
        return Finding("company", "values", 0.8)
    return humble


def _public(texts: list[str]) -> bool:
    return is_vocabulary(texts) or _places(texts)


def _streets(facts: Facts) -> bool:
    """Whether values are written like streets or addresses."""
    lettered = share(facts.examples, r"\p{L}{2}") >= _HALF and share(facts.examples, r"\s") >= _HALF
    return lettered and share(facts.examples, _STREET) >= _HALF and facts.mean_length < 120


def _numbered_streets(facts: Facts, texts: list[str]) -> bool:
    """The same where the name says so too: a number beside words will do."""
    examples = facts.examples
    numbered = share(examples, r"^\d+\S*\s+\p{L}{2}|\p{L}{2}\S*,?\s+\d") >= _HALF
    return (numbered and facts.mean_length < 120) or share(examples, _STREET) >= 0.3


def _named_persons(facts: Facts, texts: list[str]) -> bool:
    if person_names(facts.examples):
        return True
    shaped = share(facts.examples, r"^\p{Lu}[\p{L}'’.-]*,?( [\p{L}'’.-]+){1,3}$") >= _MOST
    return (
        (shaped or mention_names(facts.examples))
        and share(facts.examples, _COMPANY) < 0.2
        and not is_vocabulary(texts)
    )


def _family_or_given(facts: Facts, texts: list[str]) -> bool:
    return person_names(facts.examples) in ("first_name", "last_name")


def _firms(facts: Facts, texts: list[str]) -> bool:
    examples = facts.examples
    if share(examples, _COMPANY) >= 0.2:
        return True
    worded = (
        share(examples, r"^[\p{Lu}0-9]") > _MOST and share(examples, r"\p{Ll}{2}|\p{Lu}{4}") > _MOST
    )
    few = facts.distinct < _FEW_WORDS and not facts.near_unique
    return worded and share(examples, r"[0-9]") < 0.3 and not few and facts.mean_length > 4


def _jobs(facts: Facts, texts: list[str]) -> bool:
    return share(facts.examples, concept("job").strict) >= _MOST and facts.distinct >= 4


def _places(texts: list[str]) -> bool:
    known = known_places()
    return sum(text.casefold() in known for text in texts) > _HALF * len(texts)


def _towns(facts: Facts, texts: list[str]) -> bool:
    examples = facts.examples
    named = (
        share(examples, r"^['’]?\p{L}[\p{L} .'’()/-]+$") > _MOST
        and share(examples, r"^['’]?[\p{Lu}]") > _MOST
    )
    return named and facts.distinct >= _FEWEST and facts.mean_length < 25


def _regions(facts: Facts, texts: list[str]) -> bool:
    return _places(texts) or (_towns(facts, texts) and facts.distinct >= 8)


def _sexes(facts: Facts, texts: list[str]) -> bool:
    return facts.distinct <= 8 and share(facts.examples, concept("sex").strict) >= _MOST


def _titles(facts: Facts, texts: list[str]) -> bool:
    return facts.distinct <= 20 and share(facts.examples, concept("name_title").strict) >= _MOST


def _few_words(facts: Facts, texts: list[str]) -> bool:
    return facts.distinct <= 60 and not facts.near_unique


def _phones(facts: Facts, texts: list[str]) -> bool:
    return (
        are_telephones(texts)
        or share(facts.examples, r"^[+(]?([0-9][ ()./-]{0,2}){7,15}$") >= _MOST
    )


def _urls(facts: Facts, texts: list[str]) -> bool:
    return share(facts.examples, concept("url").strict) >= _HALF


_SEEN: dict[str, Callable[[Facts, list[str]], bool]] = {
    "first_name": _family_or_given,
    "last_name": _family_or_given,
    "full_name": _named_persons,
    "street_address": _numbered_streets,
    "street_extra": lambda facts, texts: (
        facts.mean_length < 40 and share(facts.examples, r"\d") >= _HALF
    ),
    "company": _firms,
    "job": _jobs,
    "city": _towns,
    "region": _regions,
    "orientation": _few_words,
    "country": lambda facts, texts: _places(texts),
    "sex": _sexes,
    "name_title": _titles,
    "ethnicity": _few_words,
    "religion": _few_words,
    "health": _few_words,
    "education": _few_words,
    "phone": _phones,
    "url": _urls,
}
"""How the values have to look where a name is no more than a hint, if a pattern does not say it."""


def _other_than_names(facts: Facts, texts: list[str]) -> str:
    """What a column that is named like persons holds instead of full names."""
    examples = facts.examples
    if share(examples, _COMPANY) >= _HALF:
        return "company"
    found = person_names(examples)
    if found:
        return found
    if share(examples, r"^[a-z0-9._@\\-]+$") > _MOST:
        return "user_name"
    worded = share(examples, r"[0-9_]") < 0.3 and not is_vocabulary(texts)
    return "full_name" if worded else "label"


def _no_names(facts: Facts, texts: list[str]) -> str:
    return "vocabulary" if is_vocabulary(texts) else ""


def _spaced(facts: Facts, texts: list[str]) -> str:
    """Names of users have no spaces; names of persons or of teams have."""
    return (
        "" if share(facts.examples, r"^\S+$") >= _HALF else person_names(facts.examples) or "label"
    )


_REFUTED: dict[str, Callable[[Facts, list[str]], str]] = {
    "full_name": _other_than_names,
    "first_name": _no_names,
    "user_name": _spaced,
}
"""What the values of a column are where its name deceives; nothing where it does not."""
