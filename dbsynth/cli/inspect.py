"""dbsynth inspect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

import dbsynth
from dbsynth.cli import options, output, privacy
from dbsynth.plural import counted

if TYPE_CHECKING:
    from dbsynth.inventory import Inventory, TableContent


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@options.json_option
def inspect(model: Path, as_json: bool) -> None:
    """List what MODEL, a file that `dbsynth fit` wrote, contains, in words and with sizes.

    Nothing is built, and no value of the file is shown.

    Example: dbsynth inspect shop.dbsynth
    """
    found = dbsynth.inspect(model)
    if as_json:
        output.put_json(found.to_json())
    else:
        output.put("\n".join(_lines(model, found)))


def _lines(path: Path, found: Inventory) -> Iterator[str]:
    yield output.plain(
        f"{path}: format {found.format}, {found.bytes:,} bytes, of a {found.source_kind} database,"
        f" engine {found.engine}"
    )
    if found.privacy is not None:
        yield from privacy.statement_lines(found.privacy)
    for table in found.tables:
        yield ""
        yield from _table(table)
    if found.keys:
        yield ""
        yield output.table(
            ("numbers of children of", "numbers", "of few parents", "largest", "classes"),
            [
                (k.name, f"{k.numbers:,}", f"{k.alone:,}", f"{k.most:,}", f"{k.classes:,}")
                for k in found.keys
            ],
            frozenset({1, 2, 3, 4}),
        )
    yield from _listed("about rows that belong together", found.ties)
    yield from _listed("rules that the clone keeps", found.rules)
    yield from _listed("not in the file", found.absent)
    yield from _listed("confidential", found.confidential)
    yield from _listed("attention", found.attention)
    yield from _listed("notes", found.notes)
    yield ""
    members = [(name, f"{size:,}") for name, size in found.members.items()]
    yield output.table(("part of the file", "bytes unpacked"), members, frozenset({1}))


def _table(table: TableContent) -> Iterator[str]:
    rows = counted(table.rows, "row")
    if table.strategy == "copy":
        yield output.plain(f"{table.name}: copied whole, {rows}, {table.copied_bytes:,} bytes")
        return
    if table.strategy == "empty":
        yield output.plain(f"{table.name}: left empty, nothing is stored but that it had {rows}")
        return
    trees = (
        f"{counted(table.trees, 'tree')}, {counted(table.leaves, 'leaf', 'leaves')}, the smallest"
        f" of {counted(table.smallest_leaf, 'row')}, "
    )
    yield output.plain(
        f"{table.name}: synthesised from {rows}; {trees if table.trees else ''}"
        f"{table.engine_bytes:,} bytes"
    )
    cells = [
        (
            f"  {column.name}" if i == 0 else "",
            column.role if i == 0 else "",
            _share(column.null_share) if i == 0 else "",
            sentence,
        )
        for column in table.columns
        for i, sentence in enumerate(column.holds or ("nothing",))
    ]
    yield output.table(("  column", "role", "NULL", "what is stored"), cells, frozenset({2}))


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _listed(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield ""
        yield f"{title}:"
        yield from (output.plain(f"  - {line}") for line in found)
