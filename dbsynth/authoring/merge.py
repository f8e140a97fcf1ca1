"""A changed schema brought into a reviewed spec file, by lines.

The text that people wrote is never written anew: what is new is put between its lines, what is gone
becomes a comment, a type that changed is replaced where it stands.  So comments, order, quotes,
indentation and line ends stay as they are.  Afterwards the text is read again; where it does not
say what it should (aliases of what is gone, keys of an unusual form), nothing is changed and an
error tells what to do by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import yaml

from dbsynth.authoring.writing import (
    STEP,
    column_line,
    comment,
    constraint_line,
    rule_line,
    said_of,
    scalar,
    table_lines,
)
from dbsynth.classify import Role
from dbsynth.errors import SpecError
from dbsynth.model import TableFacts
from dbsynth.outline import Outline
from dbsynth.rules import RuleError, parse_rule
from dbsynth.schema import ForeignKey, Schema
from dbsynth.spec import Spec
from dbsynth.spec.constraints import stated
from dbsynth.spec.documents import compose, parse_document
from dbsynth.spec.drift import Change, drift
from dbsynth.spec.shapes import Path

GONE = "# no longer in the source: "
_BEGIN = "\ufeff"
_ANCHOR = re.compile(r"&\S+\s+")


@dataclass(frozen=True)
class Merged:
    """What became of a file.

    Attributes:
        changes: What it did not cover before.
    """

    text: str
    changes: tuple[Change, ...]


def merge(text: str, name: str, spec: Spec, outline: Outline) -> Merged:
    """Bring what changed in a schema into the text of its spec.

    Args:
        name: What an error calls the file.
        spec: What the text says.
        outline: What is proposed for the schema as it is now.

    Raises:
        SpecError: The text cannot be changed without changing more of it than its lines.
    """
    schema = outline.schema
    changes = drift(spec, schema, outline.declared)
    begin = _BEGIN if text.startswith(_BEGIN) else ""
    work = _Work(text.removeprefix(_BEGIN), name, spec, outline)
    work.merge(changes)
    merged = begin + work.edited()
    if merged == text:
        return Merged(text, changes)
    _prove(merged, name, spec, outline)
    return Merged(merged, changes)


def _prove(merged: str, name: str, spec: Spec, outline: Outline) -> None:
    """Read the outcome: it must cover the schema, and still say all else that was said.

    Raises:
        SpecError: It does not.
    """
    wrong, schema = [], outline.schema
    try:
        document = parse_document(merged, name)
        found = Spec.parse(document.value, _Anything())
        wrong = [change.message for change in drift(found, schema, outline.declared)
                 if change.what != "key"]  # fmt: skip
        wrong += [*found.unknown(schema), *_lost(spec, found, schema)]
    except SpecError as error:
        wrong = [error.message]
    if wrong:
        raise SpecError(
            f"`{name}` cannot be brought up to date without writing more of it anew: "
            + "; ".join(wrong),
            hint="change these entries by hand (aliases written out, one entry a line), then"
            " call it again",
        )


class _Anything(dict[str, str]):
    """An environment in which every variable is set."""

    def __contains__(self, name: object) -> bool:
        return True

    def get(self, name: str, default: object = None) -> str:
        del default
        return f"${{{name}}}"


def _lost(before: Spec, after: Spec, schema: Schema) -> Iterator[str]:
    """What was said of tables and columns that are there, and is not said any more."""
    for name, said in before.tables.items():
        if name not in schema.table_by_name:
            continue
        now = after.tables.get(name)
        same = now is not None and replace(said, columns={}, types={}, rebalance={}) == replace(
            now, columns={}, types={}, rebalance={}
        )
        if now is None or not same:
            yield f"table `{name}` would say something else"
            continue
        for column, role in said.columns.items():
            kind = schema[name].column_by_name.get(column)
            if kind is not None and column not in now.columns:
                yield f"column `{name}.{column}` would be lost"
                continue
            same = now.types.get(column) == said.types.get(column)
            if kind is not None and same and now.columns[column] != role:
                yield f"column `{name}.{column}` would say something else"


@dataclass
class _Work:
    """The text with the edits that were decided so far, each (start, end, replacement)."""

    text: str
    name: str
    spec: Spec
    outline: Outline
    edits: list[tuple[int, int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.root = compose(self.text, self.name)
        self.newline = "\r\n" if "\r\n" in self.text else "\n"

    def edited(self) -> str:
        """The text with all edits; those at one place stay in the order in which they came."""
        text = self.text
        ordered = sorted(enumerate(self.edits), key=lambda e: (e[1][0], e[1][1], e[0]))
        for _, (start, end, put) in reversed(ordered):
            text = text[:start] + put + text[end:]
        return text

    def merge(self, changes: Iterable[Change]) -> None:
        """Decide on the edits for some changes, and for lists that name what is gone."""
        changes = list(changes)
        for change in changes:
            if change.what in ("key", "constraint"):
                continue
            if change.kind == "dropped":
                self._strike(change.path)
            elif change.kind == "retyped":
                self._retype(change)
        for change in changes:
            if change.kind == "dropped" and change.what == "column":
                self._strike(("tables", change.table, "rebalance", change.column or ""))
        self._add(changes)
        self._lists(changes)

    # -- where things stand -------------------------------------------------------------------

    def _found(self, path: Path) -> tuple[yaml.Node, yaml.Node, yaml.MappingNode] | None:
        """Key and value of an entry, and the mapping it is in."""
        node = self.root
        found = None
        for step in path:
            if not isinstance(node, yaml.MappingNode):
                return None
            here = node
            pair = next((p for p in node.value if _names(p[0], step)), None)
            if pair is None:
                return None
            found, node = (pair[0], pair[1], here), pair[1]
        return found

    def _line_start(self, place: int) -> int:
        return self.text.rfind("\n", 0, place) + 1

    def _line_end(self, place: int) -> int:
        """Behind the newline of the line."""
        end = self.text.find("\n", place)
        return len(self.text) if end < 0 else end + 1

    def _last(self, key: yaml.Node, value: yaml.Node, before: int) -> int:
        """The last place of an entry's content, which ends before a place."""
        place = key.end_mark.index
        if place <= value.start_mark.index < before:  # no alias of something elsewhere
            place = max(place, _content_end(value, self.text, before))
        elif ":" in self.text[place : self._line_end(place)]:
            place += self.text[place:].index(":")
        return place

    def _entry_end(self, mapping: yaml.MappingNode, key: yaml.Node) -> int:
        """The end of the last line of an entry of a mapping in lines."""
        keys = [pair[0] for pair in mapping.value]
        at = next(i for i, other in enumerate(keys) if other is key)
        before = keys[at + 1].start_mark.index if at + 1 < len(keys) else len(self.text) + 1
        if before <= key.start_mark.index:
            before = len(self.text) + 1
        return self._line_end(self._last(key, mapping.value[at][1], before))

    # -- what is gone -------------------------------------------------------------------------

    def _strike(self, path: Path) -> None:
        found = self._found(path)
        if found is None:
            return
        key, value, mapping = found
        if mapping.flow_style:
            self._strike_in_flow(key, value, mapping)
            return
        self._comment(key.start_mark.index, self._entry_end(mapping, key))

    def _comment(self, place: int, end: int) -> None:
        """Make lines a comment."""
        start = self._line_start(place)
        lines = self.text[start:end].splitlines(keepends=True)
        first = lines[0]
        indent = first[: len(first) - len(first.lstrip(" "))]
        commented = [indent + GONE + first.lstrip(" ")]
        commented += [
            line if not line.strip() else indent + "# " + line.removeprefix(indent)
            for line in lines[1:]
        ]
        self.edits.append((start, end, "".join(commented)))

    def _strike_in_flow(
        self, key: yaml.Node, value: yaml.Node, mapping: yaml.MappingNode
    ) -> None:  # fmt: skip
        """Take an entry out of a mapping in braces, and keep its words above the line."""
        start, end = key.start_mark.index, self._last(key, value, mapping.end_mark.index)
        if start <= value.start_mark.index:
            end = max(end, value.end_mark.index)
        words = " ".join(self.text[start:end].split())
        after = end + len(self.text[end:]) - len(self.text[end:].lstrip(" "))
        if self.text[after : after + 1] == ",":
            end = after + 1
            end += len(self.text[end:]) - len(self.text[end:].lstrip(" "))
        else:
            before = self.text[:start].rstrip()
            start = len(before) - 1 if before.endswith(",") else start
        self.edits.append((start, end, ""))
        line = self._line_start(mapping.start_mark.index)
        indent = " " * (len(self.text[line:]) - len(self.text[line:].lstrip(" ")))
        self.edits.append((line, line, f"{indent}{GONE}{comment(words)}{self.newline}"))

    # -- what changed -------------------------------------------------------------------------

    def _retype(self, change: Change) -> None:
        found = self._found(change.path)
        if found is None or change.column is None:
            return
        key, value, mapping = found
        table, facts = self.outline.schema[change.table], self.outline.tables[change.table]
        said = self.spec.tables[change.table]
        role, provider = said.columns[change.column]
        word = role.value + (f":{provider}" if provider else "")
        kept = self._still(change.table, change.column, role)
        new = scalar(said_of(table, facts, change.column, word if kept else None), spaced=True)
        old = f"{word} as {said.types[change.column]}"
        start, end = key.end_mark.index, self._last(key, value, mapping.end_mark.index)
        if key.end_mark.index <= value.start_mark.index < mapping.end_mark.index:
            start, end = value.start_mark.index, value.end_mark.index
            anchor = _ANCHOR.match(self.text, start, end)
            start = anchor.end() if anchor else start
        else:  # an alias
            start += self.text[start:].index("*")
            end = start + 1
            while end < len(self.text) and self.text[end] not in " \t\r\n,]}":
                end += 1
        if mapping.flow_style:
            new = scalar(yaml.safe_load(f"[{new}]")[0] if "," not in new else new.strip('"'))
            self.edits.append((start, end, new))
            return
        self.edits.append((start, end, new))
        line_end = self._line_end(end)
        line = self.text[end:line_end].rstrip("\r\n")
        note = f"was {old}" if not kept else f"was {said.types[change.column]}"
        tail = f"; {comment(note)}" if "#" in line else f"  # {comment(note)}"
        at = end + len(line.rstrip())
        self.edits.append((at, at, tail))

    def _still(self, table: str, column: str, role: Role) -> bool:
        """Whether the word that was said of a column can stand for its new type."""
        proposed = self.outline.tables[table].columns.get(column)
        if proposed is None:
            return True
        new = proposed.decision.role
        return new is role or (role is not Role.IDENTIFIER and new in (Role.KEY, Role.REFERENCE))

    # -- what is new --------------------------------------------------------------------------

    def _add(self, changes: list[Change]) -> None:
        """Add what is new; columns first, as a table may come right behind the last of another."""
        added = [change for change in changes if change.kind == "added"]
        for table in dict.fromkeys(change.table for change in added):
            columns = [c for c in added if c.table == table and c.what == "column"]
            if columns:
                self._add_columns(table, columns)
        for change in added:
            if change.what == "table":
                self._add_table(change)

    def _add_table(self, change: Change) -> None:
        note = f"new, perhaps `{change.renamed}` renamed: " if change.renamed else "new: "
        table, facts = self.outline.schema[change.table], self.outline.tables[change.table]
        if change.renamed:
            facts = _with_word(self.spec, change.renamed, facts)
        found = self._found(("tables",))
        if found is None:
            lines = table_lines(table, facts, STEP, note)
            if not any(edit[2].startswith("tables:") for edit in self.edits):
                lines = ["tables:", *lines]
            self._put(len(self.text), lines)
            return
        mapping = found[1]
        if isinstance(mapping, yaml.MappingNode) and mapping.flow_style and mapping.value:
            words = ", ".join(
                f"{_in_flow(name)}: {_in_flow(said_of(table, facts, name))}"
                for name in facts.columns
            )
            entry = f"{_in_flow(table.name)}: {{strategy: {facts.strategy}, columns: {{{words}}}}}"
            self._put_in_flow(mapping, entry)
        elif isinstance(mapping, yaml.MappingNode) and mapping.value:
            indent = " " * mapping.start_mark.column
            order = list(self.outline.tables)
            at = self._behind(mapping, order[: order.index(change.table)])
            self._put(at, table_lines(table, facts, indent, note))
        else:
            self._fill_empty(found, table_lines(table, facts, STEP, note))

    def _add_columns(self, name: str, changes: list[Change]) -> None:
        table = self.outline.schema[name]
        told = {change.column or "": self._told(name, change) for change in changes}
        flow = ", ".join(
            f"{_in_flow(column)}: {_in_flow(said_of(table, facts, column))}"
            for column, (facts, _) in told.items()
        )

        def block(indent: str) -> list[str]:
            return [column_line(table, f, c, indent, note) for c, (f, note) in told.items()]

        found, outer = self._found(("tables", name, "columns")), self._found(("tables", name))
        if found is not None:
            mapping, indent = found[1], " " * found[0].start_mark.column
            if not isinstance(mapping, yaml.MappingNode) or not mapping.value:
                self._fill_empty(found, block(indent + STEP))
            elif mapping.flow_style:
                self._put_in_flow(mapping, flow)
            else:
                order = [column.name for column in table.columns]
                inner = " " * mapping.start_mark.column
                for column, line in zip(told, block(inner), strict=True):
                    self._put(self._behind(mapping, order[: order.index(column)]), [line])
        elif outer is not None:
            mapping, indent = outer[1], " " * outer[0].start_mark.column + STEP
            if not isinstance(mapping, yaml.MappingNode) or not mapping.value:
                self._fill_empty(outer, [f"{indent}columns:", *block(indent + STEP)])
            elif mapping.flow_style:
                self._put_in_flow(mapping, f"columns: {{{flow}}}")
            else:
                indent = " " * mapping.start_mark.column
                at = self._entry_end(mapping, mapping.value[-1][0])
                self._put(at, [f"{indent}columns:", *block(indent + STEP)])

    def _told(self, name: str, change: Change) -> tuple[TableFacts, str]:
        """The facts with what was said of the column that a new one may have been, and a note."""
        facts, said = self.outline.tables[name], self.spec.tables[name].columns
        if change.renamed is None or change.column is None:
            return facts, "new: "
        if change.renamed in said:
            facts = _with_role(facts, change.column, said[change.renamed])
        return facts, f"new, perhaps `{change.renamed}` renamed: "

    def _fill_empty(
        self, found: tuple[yaml.Node, yaml.Node, yaml.MappingNode], lines: list[str]
    ) -> None:  # fmt: skip
        """Put lines under a key without entries: ``a:``, ``a: {}`` or ``a: null``."""
        key, value, _ = found
        if self.text[value.start_mark.index : value.end_mark.index].strip():
            start = value.start_mark.index
            while self.text[start - 1] == " ":
                start -= 1
            if not any(edit[:2] == (start, value.end_mark.index) for edit in self.edits):
                self.edits.append((start, value.end_mark.index, ""))
        self._put(self._line_end(key.end_mark.index), lines)

    def _behind(self, mapping: yaml.MappingNode, earlier: list[str]) -> int:
        """Behind the nearest entry that comes earlier in the schema, else behind the last one."""
        for name in reversed(earlier):
            pair = next((p for p in mapping.value if _names(p[0], name)), None)
            if pair is not None:
                return self._entry_end(mapping, pair[0])
        return self._entry_end(mapping, mapping.value[-1][0])

    def _put(self, place: int, lines: Iterable[str]) -> None:
        """Insert whole lines."""
        block = "".join(line + self.newline for line in lines)
        open_line = place == len(self.text) and not self.text.endswith("\n") and self.text
        earlier = any(edit[0] == place for edit in self.edits)
        self.edits.append((place, place, self.newline + block if open_line and not earlier
                           else block))  # fmt: skip

    def _put_in_flow(self, mapping: yaml.MappingNode, entry: str) -> None:
        """Insert an entry before the closing brace."""
        place = mapping.end_mark.index - 1
        before = self.text[:place].rstrip()
        earlier = any(edit[:2] == (place, place) for edit in self.edits)
        comma = ", " if earlier or not before.endswith((",", "{")) else ""
        self.edits.append((place, place, comma + entry))

    # -- lists --------------------------------------------------------------------------------

    def _lists(self, changes: list[Change]) -> None:
        """Strike entries of lists that name what is gone; add rules on new columns."""
        schema, spec = self.outline.schema, self.spec
        keyed = spec.with_keys(schema)
        for place, text in enumerate(spec.rules or ()):
            try:
                parse_rule(text, keyed)
            except RuleError:
                self._strike_item("rules", place)
        for place, fk in enumerate(spec.virtual_foreign_keys):
            if not _stands(fk, schema):
                self._strike_item("virtual_foreign_keys", place)
        for place, fair in enumerate(spec.fairness):
            gone = [text for text in (fair.outcome, fair.protected)
                    if not _has(schema, *text.rpartition(".")[::2])]  # fmt: skip
            if gone:
                self._strike_item("fairness", place)
        self._add_rules(changes)
        self._constraints()

    def _constraints(self) -> None:
        """Strike what is recorded of constraints and holds no more; record what holds now."""
        if self.spec.constraints is None:
            return
        now = stated(self.outline.declared)
        gone = [i for i, text in enumerate(self.spec.constraints) if text not in now]
        for place in gone:
            self._strike_item("constraints", place)
        new = [text for text in now if text not in self.spec.constraints]
        found = self._found(("constraints",))
        items = found[1] if found else None
        if not new or found is None:
            return
        if isinstance(items, yaml.SequenceNode) and items.value:
            self._put(self._behind_items(items), [
                constraint_line(text, self._item_indent(items)) for text in new
            ])  # fmt: skip
        else:
            self._fill_empty(found, [constraint_line(text, STEP) for text in new])

    def _behind_items(self, items: yaml.SequenceNode) -> int:
        return self._line_end(_content_end(items.value[-1], self.text, len(self.text) + 1))

    def _item_indent(self, items: yaml.SequenceNode) -> str:
        line = self._line_start(items.value[0].start_mark.index)
        return self.text[line : line + self.text[line:].index("-")]

    def _strike_item(self, name: str, place: int) -> None:
        found = self._found((name,))
        items = found[1] if found else None
        if not isinstance(items, yaml.SequenceNode) or items.flow_style:
            return
        item = items.value[place]
        after = items.value[place + 1 :]
        before = after[0].start_mark.index if after else len(self.text) + 1
        end = self._line_end(_content_end(item, self.text, before))
        self._comment(item.start_mark.index, end)

    def _add_rules(self, changes: list[Change]) -> None:
        """Add the rules that are about new columns and were not there to be struck."""
        found = self._found(("rules",))
        items = found[1] if found else None
        if not isinstance(items, yaml.SequenceNode) or items.flow_style or not items.value:
            return
        tables = {c.table for c in changes if c.kind == "added" and c.what == "table"}
        columns = {(c.table, c.column) for c in changes if c.kind == "added"}
        known = set(self.spec.rules or ())
        new = [
            kept for kept in self.outline.rules
            if str(kept.rule) not in known
            and any(p[0] in tables or tuple(p) in columns for p in kept.rule.places)
        ]  # fmt: skip
        indent = self._item_indent(items)
        self._put(self._behind_items(items), [rule_line(kept, indent) for kept in new])


def _content_end(node: yaml.Node, text: str, before: int) -> int:
    """The last place that belongs to a node; comments behind it do not."""
    if isinstance(node, yaml.MappingNode | yaml.SequenceNode) and not node.flow_style:
        inner = [n for pair in node.value for n in pair] if isinstance(
            node, yaml.MappingNode) else list(node.value)  # fmt: skip
        ends = [
            _content_end(n, text, before)
            for n in inner
            if node.start_mark.index <= n.start_mark.index < before
        ]
        # A last entry that is an alias stands on the line of its key.
        return max(ends, default=node.start_mark.index)
    end = node.end_mark.index
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        end = node.start_mark.index + len(text[node.start_mark.index : end].rstrip())
    return max(node.start_mark.index, end - 1)


def _names(node: yaml.Node, name: object) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.value == name


def _in_flow(text: str) -> str:
    """A text inside braces."""
    safe = text.replace("_", "").replace(":", "").isalnum()
    return text if safe and scalar(text, spaced=True) == text else scalar(text)


def _stands(fk: ForeignKey, schema: Schema) -> bool:
    sides = ((fk.child, fk.columns), (fk.parent, fk.parent_columns))
    return all(_has(schema, table, column) for table, columns in sides for column in columns)


def _has(schema: Schema, table: str, column: str) -> bool:
    found: Mapping[str, object] = schema[table].column_by_name if (
        table in schema.table_by_name) else {}  # fmt: skip
    return column in found


def _with_word(spec: Spec, old: str, facts: TableFacts) -> TableFacts:
    """The facts of a table with what was said of the one that it may have been."""
    said = spec.tables[old]
    for column in facts.columns:
        if column in said.columns:
            facts = _with_role(facts, column, said.columns[column])
    return replace(facts, strategy=said.strategy or facts.strategy)


def _with_role(facts: TableFacts, column: str, said: tuple[Role, str | None]) -> TableFacts:
    """The facts with a word for a column, but where the proposal is that it identifies somebody."""
    model = facts.columns[column]
    if model.decision.role in (Role.IDENTIFIER, Role.KEY, Role.REFERENCE):
        return facts
    decision = replace(model.decision, role=said[0], provider=said[1])
    return replace(
        facts, columns={**facts.columns, column: replace(model, decision=decision)}
    )  # fmt: skip
