"""Sentences of rules: names of columns and keys into words, and words back into names.

A name is written as the database knows it, in double quotes where it is not plain.  A reader goes
over the words of one sentence; a form of rule that finds other words than its own raises `NotMine`,
and one that finds its words about things that do not exist raises `RuleError`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from dbsynth.rules.base import Place
from dbsynth.schema import ForeignKey, Schema, Table

_TOKEN = re.compile(
    r'\s*("(?:[^"]|"")*"|[^\W\d]\w*|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|>=|<=|->|[-+*/().,=<>:\[\]|\'])'
)
_PLAIN = re.compile(r"[^\W\d]\w*")
RESERVED = frozenset(re.findall(r"\w+", """
    along and count day days digits else exactly from hour hours if in is max microseconds min
    minute minutes month months next no not null of once one or previous round same second seconds
    at order signed by starting sum then to when where with within
"""))  # fmt: skip


class RuleError(ValueError):
    """A sentence that reads like a rule, about something that does not exist."""


class NotMine(Exception):  # no error: another form may read the sentence
    """A sentence of another form."""


def name(text: str) -> str:
    """A name as it stands in a sentence."""
    if _PLAIN.fullmatch(text) and text.lower() not in RESERVED:
        return text
    return '"' + text.replace('"', '""') + '"'


def table_name(table: Table) -> str:
    """The name of a table as it stands in a sentence."""
    first, *rest = _parts(table)
    return ".".join([name(first), *map(_part, rest)])


def _part(text: str) -> str:
    """A name behind a dot, where no word of a sentence can be meant."""
    return text if _PLAIN.fullmatch(text) else '"' + text.replace('"', '""') + '"'


def column_name(schema: Schema, place: Place) -> str:
    """A column as it stands in a sentence."""
    return f"{table_name(schema[place[0]])}.{_part(place[1])}"


def key_name(schema: Schema, key: ForeignKey) -> str:
    """A foreign key as it stands in a sentence: the child with the columns."""
    return f"{table_name(schema[key.child])}({', '.join(map(name, key.columns))})"


def along(schema: Schema, key: ForeignKey) -> str:
    """`` along child(columns)`` where two tables have several keys; else nothing."""
    several = len(keys_between(schema, key.child, key.parent)) > 1
    return f" along {key_name(schema, key)}" if several else ""


def keys_between(schema: Schema, child: str, parent: str) -> list[ForeignKey]:
    """The foreign keys from one table to another."""
    return [fk for fk in schema[child].foreign_keys if fk.parent == parent]


def _parts(table: Table) -> tuple[str, ...]:
    return (table.bare,) if table.namespace is None or table.name == table.bare else (
        table.namespace, table.bare
    )  # fmt: skip


class Words:
    """Reads one sentence from left to right."""

    def __init__(self, text: str, schema: Schema) -> None:
        self.schema = schema
        self._tokens: list[str] = []
        self._at = 0
        place = 0
        while text[place:].strip():
            found = _TOKEN.match(text, place)
            if found is None:
                raise RuleError(f"`{text[place:].strip()[0]}` belongs to no rule")
            self._tokens.append(found[1])
            place = found.end()

    @property
    def understood(self) -> int:
        """How many words were read."""
        return self._at

    def copy(self) -> Words:
        """A reader at the same place."""
        twin = Words("", self.schema)
        twin._tokens, twin._at = self._tokens, self._at
        return twin

    def peek(self, ahead: int = 0) -> str:
        """The next word, empty at the end."""
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ""

    def next_(self) -> str:
        """The next word, which is then read."""
        word = self.peek()
        if not word:
            raise NotMine
        self._at += 1
        return word

    def take(self, *words: str) -> bool:
        """Whether these words come next; they are then read."""
        if any(self.peek(i) != word for i, word in enumerate(words)):
            return False
        self._at += len(words)
        return True

    def expect(self, *words: str) -> None:
        """Read these words.

        Raises:
            NotMine: Others stand here.
        """
        if not self.take(*words):
            raise NotMine

    def has(self, word: str) -> bool:
        """Whether a word comes at some place from here on."""
        return word in self._tokens[self._at :]

    def end(self) -> None:
        """The sentence is over.

        Raises:
            NotMine: It is not.
        """
        if self.peek():
            raise NotMine

    def number(self) -> float:
        """A number, perhaps with a sign."""
        sign = -1.0 if self.take("-") else 1.0
        try:
            return sign * float(self.peek())
        except ValueError:
            raise NotMine from None
        finally:
            self._at += 1

    def name(self, *, behind_dot: bool = False) -> str:
        """A name without dots, out of its quotes."""
        word = self.next_()
        if word.startswith('"'):
            return word[1:-1].replace('""', '"')
        if not _PLAIN.fullmatch(word) or (word.lower() in RESERVED and not behind_dot):
            raise NotMine
        return word

    def path(self) -> list[str]:
        """Names with dots between them."""
        found = [self.name()]
        while self.take("."):
            found.append(self.name(behind_dot=True))
        return found

    def table(self) -> Table:
        """A table."""
        return self._table(self.path())

    def column(self) -> Place:
        """A column with its table."""
        path = self.path()
        if len(path) < 2:
            raise NotMine
        table = self._table(path[:-1])
        return table.name, self.column_of(table, path[-1])

    def column_of(self, table: Table, column: str) -> str:
        """A column of a table, after a check that it exists."""
        if column not in table.column_by_name:
            raise RuleError(
                _unknown(f"column `{table.name}.{column}`", column, table.column_by_name)
            )
        return column

    def columns_of(self, table: Table) -> tuple[str, ...]:
        """Columns of a table in parentheses."""
        self.expect("(")
        found = [self.column_of(table, self.name())]
        while self.take(","):
            found.append(self.column_of(table, self.name()))
        self.expect(")")
        return tuple(found)

    def key(self, parent: str | None = None) -> ForeignKey:
        """A foreign key, written as ``child(columns)``."""
        table = self.table()
        columns = self.columns_of(table)
        found = [
            fk for fk in table.foreign_keys if fk.columns == columns and parent in (None, fk.parent)
        ]
        if not found:
            raise RuleError(
                f"`{table.name}({', '.join(columns)})` is no foreign key"
                + (f" to `{parent}`" if parent else "")
                + "; there are: "
                + (", ".join(map(str, table.foreign_keys)) or "none")
            )
        return found[0]

    def key_between(self, child: str, parent: str) -> ForeignKey:
        """The key ``along`` which a sentence runs, named where there are several."""
        if self.take("along"):
            found = self.key(parent)
            if found.child != child:
                raise RuleError(f"the key {found} is none of `{child}`")
            return found
        keys = keys_between(self.schema, child, parent)
        if not keys:
            raise RuleError(f"no foreign key leads from `{child}` to `{parent}`")
        if len(keys) > 1:
            names = " or ".join(f"`along {key_name(self.schema, fk)}`" for fk in keys)
            raise RuleError(f"several foreign keys lead from `{child}` to `{parent}`: add {names}")
        return keys[0]

    def path_between(self, child: str, parent: str) -> tuple[ForeignKey, ...]:
        """The keys ``along`` which a sentence runs; one where it names none."""
        if self.peek() != "along" or not self.has("->"):
            return (self.key_between(child, parent),)
        self.expect("along")
        found = [self.key()]
        while self.take("->"):
            found.append(self.key())
        tables = [child, *(key.parent for key in found)]
        if any(key.child != table for key, table in zip(found, tables, strict=False)):
            raise RuleError("each key of the path must begin where the one before it ends")
        if tables[-1] != parent:
            raise RuleError(f"the path ends in `{tables[-1]}`, not in `{parent}`")
        return tuple(found)

    def _table(self, path: list[str]) -> Table:
        for table in self.schema.tables:
            if list(_parts(table)) == path or table.name == ".".join(path):
                return table
        asked = ".".join(path)
        raise RuleError(_unknown(f"table `{asked}`", asked, self.schema.table_by_name))


def _unknown(what: str, asked: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(asked, list(known), 1)
    return f"{what} does not exist" + (f" (did you mean `{near[0]}`?)" if near else "")
