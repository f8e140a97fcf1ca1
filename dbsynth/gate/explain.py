"""Which part of a model lets values of the source through, in words."""

from __future__ import annotations

from dbsynth.classify import Role
from dbsynth.codec import Category, Formatted, Number
from dbsynth.model import NAMES_JOINED, ColumnModel, Model

_LEARNT = frozenset({"pattern", "json", "xml", "array", "by_type", "digits", "tsvector"})


def part_of(model: Model, table: str, names: tuple[str, ...]) -> str:
    """What the values of a column, or of columns that are judged together, come from."""
    facts, declared = model.tables[table], model.schema[table].column_by_name[names[0]]
    if facts.strategy == "copy":
        return f"a copied table: the rows of `{table}` are real by decision"
    if facts.strategy not in ("synthesize", "empty"):
        return f"the rows of `{table}` are real under `{facts.strategy}`, and this is not replaced"
    if declared.generated:
        return "a generated column: the database computes it from other columns of the row"
    column = facts.columns.get(names[0])
    if column is None:
        return "a column of which nothing was decided: its values come from the database"
    if len(names) > 1:
        return "a provider's collision: invented parts of a name make a real person's name"
    return _of_column(model, table, names[0], column)


def _of_column(model: Model, table: str, name: str, column: ColumnModel) -> str:
    if column.derived:
        rules = [str(kept.rule) for kept in model.rules if f"{table}.{name}" in str(kept.rule)]
        return f"a rule that computes it: {rules[0]}" if rules else "a rule that computes it"
    if column.computed:
        return f"SQL that computes it: {column.computed[0]}"
    if column.serial is not None:
        return f"codes that count its rows as the real ones do: {column.serial}"
    if column.echo is not None:
        theirs = column.echo.replace(NAMES_JOINED, "` and `")
        return f"column `{theirs}` of the parent, which it repeats"
    if column.repeats is not None:
        return "an identifier that comes back inside a family"
    if column.codec is not None:
        return _of_codec(column)
    if column.mint is not None or column.ranked is not None:
        return "numbers drawn for a key, from the range of the real ones"
    if column.structure is not None:
        return _of_structure(column)
    return _of_provider(column)


def _of_codec(column: ColumnModel) -> str:
    codec = column.codec
    if column.decision.role is Role.CONSTANT:
        return "a constant: all rows of the source hold this value"
    if isinstance(codec, Category) and column.decision.role is Role.RENAMED:
        return "a collision of the new names that its values were given"
    if isinstance(codec, Category):
        return "the vocabulary of its codec: a real value that enough rows share"
    if isinstance(codec, Formatted):
        return f"its codec: numbers or times written as `{codec.form}`"
    if isinstance(codec, Number):
        return "its codec: a single number that enough rows share, or one drawn between real ones"
    return "its codec"


def _of_structure(column: ColumnModel) -> str:
    shown = [
        part for part, piece in column.pieces.items() if isinstance(piece.model.codec, Category)
    ]
    listed = ", ".join(f"`{part}`" for part in shown[:5])
    keys = "the keys of its documents, or arrays that enough rows share"
    return f"{keys}, or the vocabulary of its parts {listed}" if listed else keys


def _of_provider(column: ColumnModel) -> str:
    if column.provided is None:
        return "nothing that the model says: a default of the schema or a trigger may have set it"
    name = column.provided.provider
    if name in _LEARNT:
        return f"the template of provider `{name}`: fragments that enough rows share"
    return f"a collision of provider `{name}`, whose vocabulary anybody may be in"
