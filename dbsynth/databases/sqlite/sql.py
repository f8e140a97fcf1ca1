"""The little of SQLite's grammar that its catalog leaves in text: CHECK, COLLATE, index parts.

SQLite keeps the words of each CREATE statement and tells most of them by PRAGMA; what it does not
tell is cut out of the text here.  Every piece is a slice of the original, comments included.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from dbsynth.schema import Check

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
  | (?P<string>'(?:[^']|'')*')
  | (?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
  | (?P<word>[^\W\d][\w$]*)
  | (?P<number>\d[\w.]*)
  | (?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_CONSTRAINTS = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"})
_OTHER_CONSTRAINTS = _CONSTRAINTS | {"NOT", "REFERENCES"}


@dataclass(frozen=True, slots=True)
class Token:
    """A word, name, literal or mark of a statement, and where it stands."""

    kind: str
    text: str
    start: int
    end: int

    def says(self, word: str) -> bool:
        """Whether it is this keyword or mark."""
        return self.kind in ("word", "mark") and self.text.upper() == word

    @property
    def name(self) -> str:
        """The name it spells, without quotes."""
        if self.kind not in ("quoted", "string"):
            return self.text
        last = self.text[-1]
        return self.text[1:-1].replace(last * 2, last) if last != "]" else self.text[1:-1]


@dataclass(frozen=True, slots=True)
class TableText:
    """What only the text of a CREATE TABLE says."""

    checks: tuple[Check, ...] = ()
    collations: dict[str, str] = field(default_factory=dict)
    computed: dict[str, str] = field(default_factory=dict)
    without_rowid: bool = False
    autoincrement: bool = False


@dataclass(frozen=True, slots=True)
class IndexText:
    """What only the text of a CREATE INDEX says."""

    parts: tuple[str, ...] = ()
    where: str | None = None


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def tokens(sql: str) -> list[Token]:
    """The tokens of a statement, without spaces and comments."""
    return [
        Token(match.lastgroup or "mark", match.group(), match.start(), match.end())
        for match in _TOKEN.finditer(sql)
        if match.lastgroup != "space"
    ]


def mentioned(sql: str, columns: Iterable[str]) -> tuple[str, ...]:
    """Those of the columns that an expression names, in the order of the columns."""
    names = {token.name.lower() for token in tokens(sql) if token.kind in ("word", "quoted")}
    return tuple(column for column in columns if column.lower() in names)


def is_virtual(sql: str) -> bool:
    """Whether the statement creates a virtual table."""
    first = tokens(sql[:200])[:2]
    return len(first) == 2 and first[0].says("CREATE") and first[1].says("VIRTUAL")


def table_text(sql: str, columns: Sequence[str]) -> TableText:
    """What the text of a CREATE TABLE says besides the catalog."""
    stream = tokens(sql)
    opening = next((i for i, token in enumerate(stream) if token.says("(")), None)
    if opening is None:
        return TableText()
    closing = _closing(stream, opening)
    checks: list[Check] = []
    collations: dict[str, str] = {}
    computed: dict[str, str] = {}
    for part in _split(stream[opening + 1 : closing]):
        checks.extend(_checks(sql, part, columns, len(checks)))
        collations.update(_collation(part))
        computed.update(_expression(sql, part))
    tail = [token.text.upper() for token in stream[closing + 1 :]]
    return TableText(
        tuple(checks),
        collations,
        computed,
        "ROWID" in tail,
        any(token.says("AUTOINCREMENT") for token in stream),
    )


def index_text(sql: str) -> IndexText:
    """What the text of a CREATE INDEX says besides the catalog."""
    stream = tokens(sql)
    opening = next(i for i, token in enumerate(stream) if token.says("("))
    closing = _closing(stream, opening)
    rest = stream[closing + 1 :]
    where = sql[rest[1].start : rest[-1].end] if rest and rest[0].says("WHERE") else None
    return IndexText(
        tuple(_without_order(sql, part) for part in _split(stream[opening + 1 : closing])), where
    )


def _closing(stream: Sequence[Token], opening: int) -> int:
    depth = 0
    for i in range(opening, len(stream)):
        depth += stream[i].says("(") - stream[i].says(")")
        if depth == 0:
            return i
    return len(stream)


def _split(stream: Sequence[Token]) -> Iterator[list[Token]]:
    """The stretches between commas that stand outside of parentheses."""
    depth = 0
    part: list[Token] = []
    for token in stream:
        depth += token.says("(") - token.says(")")
        if depth == 0 and token.says(","):
            yield part
            part = []
        else:
            part.append(token)
    if part:
        yield part


def _outer(part: Sequence[Token]) -> Iterator[int]:
    """Positions outside of parentheses."""
    depth = 0
    for i, token in enumerate(part):
        depth -= token.says(")")
        if depth == 0:
            yield i
        depth += token.says("(")


def _checks(sql: str, part: list[Token], columns: Sequence[str], known: int) -> Iterator[Check]:
    name = ""
    for i in _outer(part):
        if part[i].says("CONSTRAINT") and i + 1 < len(part):
            name = part[i + 1].name
        elif part[i].says("CHECK") and i + 1 < len(part) and part[i + 1].says("("):
            known += 1
            end = _closing(part, i + 1)
            text = sql[part[i + 1].end : part[end].start].strip()
            yield Check(name or f"check {known}", text, mentioned(text, columns))
            name = ""
        elif part[i].kind == "word" and part[i].text.upper() in _OTHER_CONSTRAINTS:
            # the name of another constraint; a constraint's own name cannot be an unquoted keyword
            name = ""


def _collation(part: list[Token]) -> dict[str, str]:
    if not part or (part[0].kind == "word" and part[0].text.upper() in _CONSTRAINTS):
        return {}
    for i in _outer(part):
        if i and part[i].says("COLLATE") and i + 1 < len(part):
            return {part[0].name.lower(): part[i + 1].name.upper()}
    return {}


def _expression(sql: str, part: list[Token]) -> dict[str, str]:
    """The expression of a generated column, in its parentheses, by its name in lower case."""
    outer = list(_outer(part))
    for place in outer[1:]:
        opening = place + 1
        if part[place].says("AS") and opening < len(part) and part[opening].says("("):
            closing = _closing(part, opening)
            return {part[0].name.lower(): sql[part[opening].start : part[closing].end]}
    return {}


def _without_order(sql: str, part: list[Token]) -> str:
    """An index part without its ASC or DESC."""
    end = len(part)
    if end > 1 and (part[-1].says("ASC") or part[-1].says("DESC")):
        end -= 1
    return sql[part[0].start : part[end - 1].end]
