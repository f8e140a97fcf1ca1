"""What the spec asks to be steered, understood: which variable, which codes, which tables.

Everything that does not fit the database is said at once, each with the nearest right name.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.codec import Category, Codec, Number, Presence, as_text, to_numbers
from dbsynth.engines import variables
from dbsynth.errors import SpecError
from dbsynth.graph import Plan
from dbsynth.learn.crossing import Crossing
from dbsynth.model import ColumnModel, TableFacts
from dbsynth.read import codec_of
from dbsynth.schema import ForeignKey, Kind, Schema
from dbsynth.spec import Fairness, Spec, label, not_there
from dbsynth.steer.condition import Condition, parse

Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT)
MOST_GROUPS = 100  # values of a protected column
_FROM_TO = re.compile(r"(-?[\d.]+)\s*\.\.\s*(-?[\d.]+)")
_BOUND = re.compile(r"(<=|>=|<|>)\s*(-?[\d.]+)")


@dataclass(frozen=True, slots=True)
class Label:
    """Values that the spec names together: one value, NULL, or a range of numbers.

    Attributes:
        low, high: Bounds of a range; the lower one belongs to it, the upper one does not.
    """

    name: str | None
    low: float = math.nan
    high: float = math.nan

    @property
    def shown(self) -> str:
        """What to call it."""
        return "NULL" if self.name is None else self.name

    def holds(self, values: pa.Array, *, numeric: bool) -> Bool:
        """Which of the values it names."""
        present = np.asarray(pc.is_valid(values).to_numpy(zero_copy_only=False))
        if self.name is None:
            return ~present
        if not numeric:
            texts = as_text(values)
            found = pc.fill_null(
                pc.equal(texts, pa.scalar(self.name, pa.string())), fill_value=False
            )
            return np.asarray(found.to_numpy(zero_copy_only=False))
        numbers = to_numbers(values)[0]
        return present & (numbers >= self.low) & (numbers < self.high)


@dataclass(frozen=True)
class Column:
    """A column whose codes can be steered.

    Attributes:
        variable: Its variable in the engine.
        values: The value of every code; of a bin the middle.
        closed: Whether every code stands for one value.
    """

    table: str
    name: str
    variable: str
    values: pa.Array
    numeric: bool = False
    closed: bool = True

    def __str__(self) -> str:
        return f"{self.table}.{self.name}"


@dataclass(frozen=True)
class Share:
    """Wanted shares of the values of one column."""

    column: Column
    labels: tuple[Label, ...]
    wanted: tuple[float, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The classes, the last one for all values that are not named."""
        return (*(label.shown for label in self.labels), "all others")

    def classes(self, values: pa.Array) -> Int64:
        """The class of every value."""
        found = np.full(len(values), len(self.labels), np.int64)
        for i, label_ in enumerate(self.labels):
            found[label_.holds(values, numeric=self.column.numeric)] = i
        return found

    @property
    def shares(self) -> Float64:
        """The wanted share of every class."""
        return np.array([*self.wanted, max(0.0, 1 - sum(self.wanted))])


@dataclass(frozen=True)
class Fair:
    """That an outcome is not to depend on a protected column.

    Attributes:
        path: The generating keys that lead from the outcome's table to the protected one's.
        given: The column for each of whose values rates shall be equal, or None.
    """

    outcome: Column
    protected: Column
    path: tuple[ForeignKey, ...]
    given: Column | None

    @property
    def crossing(self) -> Crossing:
        """What to count."""
        name = f"{self.outcome} by {self.protected}" + (
            f" given {self.given}" if self.given else ""
        )
        return Crossing(
            name, self.outcome.table, self.outcome.variable, self.protected.variable, self.path,
            self.given.variable if self.given else "",
        )  # fmt: skip

    @property
    def known_as(self) -> str:
        """What a row of the outcome's table calls the protected variable."""
        name = self.protected.variable
        for _ in self.path:
            name = variables.of_parent(name)
        return name


@dataclass(frozen=True)
class Wishes:
    """All that is to be steered; the default wishes nothing."""

    shares: tuple[Share, ...] = ()
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    fair: tuple[Fair, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.shares or self.conditions or self.fair or self.rows)

    @property
    def draws(self) -> bool:
        """Whether rows are drawn otherwise than without wishes."""
        return bool(self.shares or self.conditions or self.fair)

    def early(self) -> dict[str, tuple[str, ...]]:
        """Per table, what has to be drawn before an outcome that shall be fair in it."""
        found: dict[str, list[str]] = {}
        for fair in self.fair:
            own = found.setdefault(fair.outcome.table, [])
            own += [] if fair.path else [fair.protected.variable]
            own += [fair.given.variable] if fair.given else []
        return {table: tuple(dict.fromkeys(names)) for table, names in found.items()}


def understand(spec: Spec, schema: Schema, plan: Plan, tables: Mapping[str, TableFacts]) -> Wishes:
    """What a spec asks for.

    Raises:
        SpecError: With every problem.
    """
    problems = list(spec.unknown(schema))
    if problems:
        raise SpecError("; ".join(problems), hint="mend the names in the spec")
    reader = _Reader(schema, plan, tables)
    wishes = Wishes(
        tuple(reader.shares(spec)),
        dict(reader.conditions(spec)),
        tuple(f for f in map(reader.fair, spec.fairness) if f is not None),
        dict(reader.rows(spec)),
    )
    if reader.problems:
        raise SpecError(
            "; ".join(dict.fromkeys(reader.problems)), hint="mend these entries of the spec"
        )
    return wishes


_INSTEAD = {"copy": "copied", "mask": "masked", "subset": "a subset", "skip": "skipped"}


def explained(table: str, wrong: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    """What is wrong with the condition on a table; names alone are columns that do not exist."""
    where = f"`where` of `{table}`"
    for problem in wrong:
        name = problem.strip("`")
        unknown = problem.startswith("`") and problem.endswith("`")
        yield (
            f"{where}: " + not_there(f"column `{table}.{name}`", name, known)
            if unknown
            else f"{where} {problem}"
        )


@dataclass
class _Reader:
    """Understands entries one by one and collects what is wrong."""

    schema: Schema
    plan: Plan
    tables: Mapping[str, TableFacts]
    problems: list[str] = field(default_factory=list)

    def rows(self, spec: Spec) -> Iterator[tuple[str, int]]:
        for table, rows in spec.rows().items():
            if self._made(table, f"`rows` of `{table}`"):
                yield table, rows

    def shares(self, spec: Spec) -> Iterator[Share]:
        for table, said in spec.tables.items():
            if not said.rebalance or not self._made(table, f"`rebalance` of `{table}`"):
                continue
            for name, wanted in said.rebalance.items():
                where = f"`rebalance` of `{table}.{name}`"
                column = self._column(table, name, where)
                if column is not None:
                    named = {label(value): share for value, share in wanted.items()}
                    labels = [self._label(column, value, where) for value in named]
                    found = Share(
                        column, tuple(x for x in labels if x is not None), tuple(named.values())
                    )
                    if len(found.labels) == len(named) and self._sound(found, where):
                        yield found

    def _sound(self, share: Share, where: str) -> bool:
        """Whether the classes part the values, and the shares can be met."""
        if not len(share.column.values):  # a copied table that has not been read yet
            return True
        holders = [x.holds(share.column.values, numeric=share.column.numeric) for x in share.labels]
        many = np.sum(holders, axis=0)
        if (many > 1).any():
            self.problems.append(f"{where}: its ranges overlap")
            return False
        rest = bool((many[1:] == 0).any())
        if not rest and abs(sum(share.wanted) - 1) > 1e-6:
            self.problems.append(f"{where} names all values, so the shares must add up to 1")
            return False
        return True

    def conditions(self, spec: Spec) -> Iterator[tuple[str, Condition]]:
        for table, said in spec.tables.items():
            where = f"`where` of `{table}`"
            if self.tables[table].strategy == "subset":  # there it chooses real rows
                continue
            if said.where is None or not self._made(table, where):
                continue
            above = self.plan.generating.get(table)
            if above is not None:
                self.problems.append(
                    f"{where}: its rows are drawn under those of `{above.parent}`; set a condition"
                    " on a table that hangs under no other"
                )
                continue
            known = self.schema[table].column_by_name
            condition, wrong = parse(said.where, known)
            self.problems += explained(table, wrong, known)
            if condition is not None and self._drawn(table, condition, where):
                yield table, condition

    def _drawn(self, table: str, condition: Condition, where: str) -> bool:
        """Whether all columns of a condition are drawn, so that drawing again may help."""
        fine = True
        lookups = {c for fk in self.plan.lookups_of(table) for c in fk.columns}
        foreign = self.schema[table].foreign_columns() - lookups
        for name, compared in condition.columns.items():
            model = self.tables[table].columns.get(name)
            codec = None if model is None or model.derived else codec_of(model)
            if name in lookups or (codec is not None and name not in foreign and (
                not compared or not isinstance(codec, Presence)
            )):  # fmt: skip
                continue
            fine = False
            self.problems.append(f"{where}: {self._why_not(table, name)}")
        return fine

    def _why_not(self, table: str, name: str) -> str:
        if name in self.schema[table].foreign_columns():
            return f"`{table}.{name}` refers to another table; steer a column of that table"
        model, fk = self.tables[table].columns.get(name), self.plan.generating.get(table)
        if model is not None and model.echo is not None and fk is not None:
            return (
                f"`{table}.{name}` holds what `{fk.parent}.{model.echo}` holds; steer that column"
            )
        return (
            f"the values of `{table}.{name}` are invented, computed, or relative to other times,"
            " not drawn from learnt ones, so they cannot be steered"
        )

    def fair(self, said: Fairness) -> Fair | None:
        table, _, name = said.outcome.rpartition(".")
        where = f"`fairness` of `{said.outcome}`"
        if not self._made(table, where):
            return None
        outcome = self._column(table, name, where)
        given = None if said.given is None else self._column(table, said.given, where)
        other, _, protected_name = said.protected.rpartition(".")
        path = self._path(table, other)
        if path is None:
            self.problems.append(
                f"{where}: the rows of `{table}` are not drawn under those of `{other}`; the"
                " protected column must stand in the outcome's table, in the table it hangs under,"
                " or one further up"
            )
            return None
        protected = self._column(other, protected_name, where)
        if outcome is None or protected is None or (said.given is not None and given is None):
            return None
        for column in (outcome, protected, *([given] if given else [])):
            if not column.closed or len(column.values) > MOST_GROUPS:
                self.problems.append(f"{where}: `{column}` is no column of few values")
                return None
        if len({str(c) for c in (outcome, protected, given) if c}) < 2 + (given is not None):
            self.problems.append(f"{where}: names the same column twice")
            return None
        return Fair(outcome, protected, path, given)

    def _path(self, table: str, other: str) -> tuple[ForeignKey, ...] | None:
        path: list[ForeignKey] = []
        while table != other:
            fk = self.plan.generating.get(table)
            if fk is None or len(path) == 2:  # a row knows its parent and that one's parent
                return None
            path.append(fk)
            table = fk.parent
        return tuple(path)

    def _made(self, table: str, where: str) -> bool:
        strategy = self.tables[table].strategy
        if strategy == "synthesize":
            return True
        what = _INSTEAD.get(strategy, "left empty")
        self.problems.append(f"{where}: the table is {what}, so its rows are not drawn")
        return False

    def _column(self, table: str, name: str, where: str) -> Column | None:
        """The column, or None where its values cannot be steered."""
        if self.tables[table].strategy != "synthesize":
            self._made(table, where)
            return None
        for fk in self.plan.lookups_of(table):
            if fk.columns == (name,):
                copied = self.tables[fk.parent].copied
                values = pa.array([], pa.string())
                if copied is not None:
                    column = as_text(copied[fk.parent_columns[0]])
                    values = pa.concat_arrays([pa.nulls(1, pa.string()), column])
                return Column(table, name, variables.link(fk), values)
        foreign = self.schema[table].foreign_columns()
        model = self.tables[table].columns.get(name)
        codec = codec_of(model) if model is not None else None
        if name in foreign or model is None or codec is None or _relative(model):
            self.problems.append(f"{where}: {self._why_not(table, name)}")
            return None
        values, numeric = _values_of(codec)
        if values is None:
            self.problems.append(f"{where}: {self._why_not(table, name)}")
            return None
        closed = not isinstance(codec, Number) or not np.isnan(codec.points).any()
        return Column(table, name, variables.column(name), values, numeric, closed)

    def _label(self, column: Column, name: str | None, where: str) -> Label | None:
        if name is None:
            return Label(None)
        if column.numeric:
            found = _range(name)
            if found is None:
                self.problems.append(
                    f"{where}: `{name}` is no number and no range (write `<10`, `>=10` or `10..20`)"
                )
            elif not found.holds(column.values, numeric=True).any():
                self.problems.append(
                    f"{where}: no learnt value lies in `{name}`; a number by itself must be a"
                    " frequent one, so give a range"
                )
                found = None
            return found
        known = [value for value in column.values.to_pylist() if value is not None]
        if name not in known and len(column.values):
            near = [k for k in known if k.casefold() == name.casefold()]
            near = near or difflib.get_close_matches(name, known, 1)
            hint = f" (did you mean `{near[0]}`?)" if near else ""
            self.problems.append(f"{where}: it has no value `{name}`{hint}")
            return None
        return Label(name)


def _values_of(codec: Codec) -> tuple[pa.Array | None, bool]:
    """The value of every code, and whether they are numbers; None where values have no names."""
    if isinstance(codec, Category):
        return pa.array([None, *codec.shown], pa.string()), False
    if isinstance(codec, Presence):
        return pa.array([None, *codec.blanks, ""], pa.string()), False
    if isinstance(codec, Number) and codec.kind in NUMBERS:
        middle = np.nanmean(codec.inner, axis=1) if len(codec.inner) else np.zeros(0)
        cells = np.where(np.isnan(codec.points), middle, codec.points)
        numbers = np.concatenate([[0.0, np.nan, -np.inf, np.inf], cells])
        return pa.array(numbers, pa.float64(), mask=np.arange(len(numbers)) == 0), True
    return None, False


def _relative(model: ColumnModel) -> bool:
    """Whether codes are not values by themselves: distances, factors, or what rules compute."""
    relative = (model.anchor, model.gap, model.climb, model.factor)
    return model.derived or any(found is not None for found in relative)


def _range(text: str) -> Label | None:
    try:
        if found := _FROM_TO.fullmatch(text.strip()):
            return Label(text, float(found[1]), float(found[2]))
        if found := _BOUND.fullmatch(text.strip()):
            bound = float(found[2])
            above = np.nextafter(bound, np.inf)
            return {
                "<": Label(text, -math.inf, bound),
                "<=": Label(text, -math.inf, above),
                ">": Label(text, above, math.inf),
                ">=": Label(text, bound, math.inf),
            }[found[1]]
        number = float(text)
    except ValueError:
        return None
    return Label(text, number, float(np.nextafter(number, np.inf)))
