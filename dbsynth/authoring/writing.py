"""The spec as YAML: a line per column, its type, and why as a comment.

The order is that of the schema, so that the same database gives the same text.  No value and no
password is in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import yaml

from dbsynth.model import TableFacts
from dbsynth.outline import Outline
from dbsynth.report import Finding
from dbsynth.rules import Kept
from dbsynth.schema import ForeignKey, Table
from dbsynth.spec.constraints import stated

STEP = "  "
_HEAD = """\
# yaml-language-server: $schema=dbsynth.schema.json
# What dbsynth does with every table and column. Review, change, keep in git. The schema of the
# first line, for editors, is written by `dbsynth schema -o dbsynth.schema.json`.
# Behind a colon: what invents the values of the column. Behind `as`: the type that was reviewed.
# Comments say why, with a confidence from 0 to 1.
# ${NAME} is replaced from the environment, as for passwords.
"""
_ON_NEW = """\
# What happens to tables and columns that are not listed here, or have another type:
# stop; synthesize (from the type alone, no value is looked at); propose (as if there was no spec).
on_new: stop
"""
_KEYS = """\
# References that the database does not declare. Suggestions: every value has a row that it fits.
"""
_RULES = """\
# What holds in the source and is kept in the clone, with the cases in which it held.
# Delete a line to strike a rule, add one to declare it. Without the list all are kept.
"""
_CONSTRAINTS = """\
# Keys, CHECKs and labels as they are now, of which `dbsynth diff` tells what changed.
"""


def spec_text(outline: Outline, source: str, suggested: Sequence[ForeignKey] = ()) -> str:
    """The spec of a database.

    Args:
        source: Its URL as it may be shown.
        suggested: Virtual foreign keys to offer, as comments.
    """
    lines = [
        *_HEAD.splitlines(),
        f"source: {scalar(source)}",
        "# target: postgresql://me@staging/shop",
        "engine: relational",
        "scale: 1.0",
        "seed: 0",
        *_ON_NEW.splitlines(),
        "tables:" if outline.tables else "tables: {}",
    ]
    for name, facts in outline.tables.items():
        lines += table_lines(outline.schema[name], facts, STEP)
    lines += _key_lines(suggested)
    lines += [*_RULES.splitlines(), "rules:" if outline.rules else "rules: []"]
    lines += [rule_line(kept, STEP) for kept in outline.rules]
    recorded = [constraint_line(text, STEP) for text in stated(outline.declared)]
    lines += [*_CONSTRAINTS.splitlines(), "constraints:" if recorded else "constraints: []"]
    lines += recorded
    return "\n".join(lines) + "\n"


def table_lines(table: Table, facts: TableFacts, indent: str, note: str = "") -> list[str]:
    """The entry of a table; ``note`` stands before the reason."""
    lines = [
        f"{indent}{scalar(table.name)}:",
        f"{indent}{STEP}strategy: {facts.strategy}  # {comment(note + facts.reason)}",
    ]
    if facts.columns:
        lines.append(f"{indent}{STEP}columns:")
    return lines + [
        column_line(table, facts, name, indent + 2 * STEP) for name in facts.columns
    ]  # fmt: skip


def column_line(table: Table, facts: TableFacts, name: str, indent: str, note: str = "") -> str:
    """The line of a column; ``note`` stands before the reason."""
    decision = facts.columns[name].decision
    why = f"{note}{decision.reason} ({decision.confidence:g})"
    said = scalar(said_of(table, facts, name), spaced=True)
    return f"{indent}{scalar(name)}: {said}  # {comment(why)}"


def said_of(table: Table, facts: TableFacts, name: str, role: str | None = None) -> str:
    """Role, provider and type of a column, as a spec says them."""
    decision, kind = facts.columns[name].decision, table.column_by_name[name].sql_type
    what = decision.role.value + (f":{decision.provider}" if decision.provider else "")
    return (role or what) + (f" as {' '.join(kind.split())}" if kind.strip() else "")


def rule_line(kept: Kept, indent: str) -> str:
    """A rule with its support."""
    return f"{indent}- {_sentence(str(kept.rule))}  # held in {kept.support}"


def constraint_line(text: str, indent: str) -> str:
    """A constraint as it was reviewed."""
    return f"{indent}- {_sentence(text)}"


def acceptance_lines(findings: Iterable[Finding], indent: str = STEP) -> list[str]:
    """The section that accepts some findings, once somebody says who answers for them and why."""
    return ["accepted:"] + [
        f"{indent}- {{finding: {scalar(f'{finding.check} {finding.subject}')},"
        f" at_most: {finding.count}, approved_by: , reason: }}"
        for finding in findings
    ]


def _key_lines(suggested: Iterable[ForeignKey]) -> list[str]:
    entries = [
        f"#{STEP}- {{child: {scalar(fk.child)}, columns: {_names(fk.columns)},"
        f" parent: {scalar(fk.parent)}, parent_columns: {_names(fk.parent_columns)}}}"
        for fk in suggested
    ]
    return [*_KEYS.splitlines(), "# virtual_foreign_keys:", *entries] if entries else []


def _names(names: Iterable[str]) -> str:
    return f"[{', '.join(map(scalar, names))}]"


def scalar(text: str, *, spaced: bool = False) -> str:
    """A text as YAML reads it back: in double quotes where it would be taken for something else.

    Args:
        spaced: Whether blanks, colons and brackets inside need no quotes where YAML needs none.
    """
    plain = _plain(text) if spaced else not _odd(text)
    if plain:
        return text
    # What does not print is escaped: nobody can review what he cannot see.
    printable = text.isprintable()
    dumped = yaml.safe_dump(text, default_style='"', allow_unicode=printable, width=math.inf)
    return str(dumped).split("\n")[0]


def _plain(text: str) -> bool:
    if not text.isprintable():
        return False
    try:
        return bool(yaml.safe_load(f"a: {text}  # why") == {"a": text})
    except yaml.YAMLError:
        return False


def _odd(text: str) -> bool:
    simple = text.replace("_", "").replace(".", "").isalnum()
    return not simple or not text.isprintable() or yaml.safe_load(text) != text


def _sentence(text: str) -> str:
    """A rule as YAML reads it back: in single quotes, as names in it may be in double ones."""
    plain = "'" + text.replace("'", "''") + "'"
    return plain if text.isprintable() else scalar(text)


def comment(text: str) -> str:
    """A text that stays on its line."""
    return "".join(character if character.isprintable() else "?" for character in text)
