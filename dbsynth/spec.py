"""The user's spec: a YAML file kept in git, as frozen values.

Every problem of a file is collected and reported at once.  ``${NAME}`` is replaced from the
environment that the caller hands in, and nowhere else.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from dbsynth.classify import Decision, Role, Strategy
from dbsynth.engines import ENGINES
from dbsynth.errors import SpecError
from dbsynth.identifiers import PROVIDERS
from dbsynth.rules import Rule, RuleError, parse_rule
from dbsynth.schema import ForeignKey, Schema, Table

STRATEGIES = ("synthesize", "copy", "empty")
ON_NEW = ("synthesize", "stop")
FIT_ROWS = 1_000_000
FAIR_KINDS = ("independent", "equal_rates")
_TOP = ("source", "target", "engine", "scale", "seed", "fit_rows", "on_new", "tables", "fairness",
        "virtual_foreign_keys", "rules")  # fmt: skip
_TABLE = ("strategy", "rows", "where", "rebalance", "columns")
_FAIRNESS = ("outcome", "protected", "kind", "given")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class TableSpec:
    """What the user says of one table.

    Attributes:
        rows: Rows wanted, instead of the real number times the scale.
        columns: Role and provider of columns; the provider is None where the role needs none.
        where: A condition that every row shall meet.
        rebalance: Per column, the share wanted of values (or ranges of numbers); None stands for
            NULL.
    """

    strategy: str | None = None
    rows: int | None = None
    columns: Mapping[str, tuple[Role, str | None]] = field(default_factory=dict)
    where: str | None = None
    rebalance: Mapping[str, Mapping[str | None, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fairness:
    """That an outcome shall not depend on a protected column.

    Attributes:
        outcome, protected: Columns as ``table.column``.
        kind: ``independent``: the same rates in every group; ``equal_rates``: the same rates in
            every group for each value of ``given``.
        given: A column of the outcome's table, without the table's name.
    """

    outcome: str
    protected: str
    kind: str = "independent"
    given: str | None = None


@dataclass(frozen=True)
class Spec:
    """What the user says.  The default says nothing.

    Attributes:
        rules: Sentences of the rules to keep, and no others; None for all that are mined.
    """

    source: str | None = None
    target: str | None = None
    engine: str = "relational"
    scale: float = 1.0
    seed: int = 0
    fit_rows: int = FIT_ROWS
    on_new: str = "synthesize"
    tables: Mapping[str, TableSpec] = field(default_factory=dict)
    virtual_foreign_keys: tuple[ForeignKey, ...] = ()
    rules: tuple[str, ...] | None = None
    fairness: tuple[Fairness, ...] = ()

    @classmethod
    def load(
        cls,
        path: Path,
        environment: Mapping[str, str],
        *,
        said: Mapping[str, Any] | None = None,
        without: Iterable[str] = (),
    ) -> Spec:
        """Read a file.

        Args:
            path: The YAML file.
            environment: What ``${NAME}`` is replaced from.
            said: Top entries that stand above those of the file, as on the command line.
            without: Top entries of the file that nobody needs, whose variables may be unset.

        Raises:
            SpecError: The file is missing, no YAML, or says something unknown.
        """
        try:
            value = yaml.safe_load(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise SpecError(
                f"there is no spec file `{path}`", hint="write one with `dbsynth init`"
            ) from None
        except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
            mark = getattr(error, "problem_mark", None)
            where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
            raise SpecError(
                f"`{path}` is not readable YAML{where}",
                hint="mend the file there; names with special characters belong in quotes",
            ) from None
        if not isinstance(value, dict):
            raise SpecError(
                f"`{path}` holds no mapping", hint="write a new one with `dbsynth init`"
            )
        kept = {name: entry for name, entry in value.items() if name not in tuple(without)}
        return cls.parse(kept, environment, said=said)

    @classmethod
    def parse(
        cls,
        value: Mapping[str, Any],
        environment: Mapping[str, str],
        *,
        said: Mapping[str, Any] | None = None,
    ) -> Spec:
        """The spec that a mapping describes; ``said`` stands above it and is taken literally.

        Raises:
            SpecError: With every problem of the mapping.
        """
        said = said or {}
        urls = {name: said[name] for name in ("source", "target") if name in said}
        reader = _Reader(environment)
        spec = reader.spec({**value, **said, **dict.fromkeys(urls)})
        if reader.problems:
            raise SpecError(
                "; ".join(reader.problems), hint="mend the spec; `dbsynth init` writes a new one"
            )
        return replace(spec, **urls)

    def applied_to(self, schema: Schema) -> Schema:
        """The schema with the virtual foreign keys, after a check that every name exists.

        Raises:
            SpecError: The spec names tables or columns that are not there, or (under
                ``on_new: stop``) does not name some that are.
        """
        problems = list(self.unknown(schema))
        if self.on_new == "stop":
            problems += self._uncovered(schema)
        if not problems:
            problems += self._unreadable(self._with_keys(schema))
        if problems:
            raise SpecError(
                "; ".join(problems),
                hint="mend the spec, or have `dbsynth init` write a new one to compare with",
            )
        return self._with_keys(schema)

    def _with_keys(self, schema: Schema) -> Schema:
        more: dict[str, tuple[ForeignKey, ...]] = {}
        for fk in self.virtual_foreign_keys:
            more[fk.child] = (*more.get(fk.child, ()), fk)
        tables = tuple(
            replace(table, foreign_keys=table.foreign_keys + more.get(table.name, ()))
            for table in schema.tables
        )
        return replace(schema, tables=tables)

    def stated_rules(self, schema: Schema) -> tuple[tuple[Rule, ...] | None, tuple[str, ...]]:
        """The rules of the list, and a note on each that follows a foreign key that is not kept."""
        if self.rules is None:
            return None, ()
        found, notes = [], []
        for text in self.rules:
            try:
                found.append(parse_rule(text, schema))
            except RuleError as error:
                notes.append(f"{error}: it is not kept")
        return tuple(found), tuple(notes)

    def _unreadable(self, schema: Schema) -> Iterable[str]:
        """What is wrong with the list of rules."""
        for text in self.rules or ():
            try:
                parse_rule(text, schema)
            except RuleError as error:
                yield str(error)

    def unknown(self, schema: Schema) -> Iterable[str]:
        """What the spec names and the schema does not have, each once."""
        named = [(n, (*table.columns, *table.rebalance)) for n, table in self.tables.items()]
        for fair in self.fairness:
            table, _, column = fair.outcome.rpartition(".")
            named.append((table, (column,) if fair.given is None else (column, fair.given)))
            table, _, column = fair.protected.rpartition(".")
            named.append((table, (column,)))
        for fk in self.virtual_foreign_keys:
            named += [(fk.child, fk.columns), (fk.parent, fk.parent_columns)]
        found = [problem for name, columns in named for problem in _missing(schema, name, columns)]
        return dict.fromkeys(found)

    def _uncovered(self, schema: Schema) -> Iterable[str]:
        for table in schema.tables:
            known = self.tables.get(table.name)
            if known is None:
                yield f"table `{table.name}` is new and not in the spec"
            elif known.strategy in (None, "synthesize"):
                for column in table.written:
                    if column.name not in known.columns:
                        yield f"column `{table.name}.{column.name}` is new and not in the spec"

    def decisions(self, table: Table, proposed: Mapping[str, Decision]) -> dict[str, Decision]:
        """The user's word where there is one, else what was proposed."""
        said = self.tables.get(table.name, TableSpec()).columns
        return {
            name: replace(
                decision, role=said[name][0], provider=said[name][1], decided_by="spec",
                reason="as the spec says", form=decision.form if said[name][1] is None else "",
            )
            if name in said and said[name] != (decision.role, decision.provider)
            else decision
            for name, decision in proposed.items()
        }  # fmt: skip

    def strategy(self, table: Table, proposed: Strategy) -> Strategy:
        """The user's word where there is one, else what was proposed."""
        said = self.tables.get(table.name, TableSpec()).strategy
        return (
            proposed if said in (None, proposed.name) else Strategy(str(said), "as the spec says")
        )

    def rows(self) -> dict[str, int]:
        """Rows wanted of single tables."""
        return {name: table.rows for name, table in self.tables.items() if table.rows is not None}


def _missing(schema: Schema, name: str, columns: Iterable[str]) -> Iterable[str]:
    """What is wrong with the name of a table and the names of its columns."""
    what = dict(schema.others).get(name)
    if what is not None:
        yield f"`{name}` is a {what}, and only base tables can be named"
    elif name not in schema.table_by_name:
        yield not_there(f"table `{name}`", name, schema.table_by_name)
    else:
        known = schema[name].column_by_name
        for column in columns:
            if column not in known:
                yield not_there(f"column `{name}.{column}`", column, known)


def not_there(what: str, name: str, known: Iterable[str]) -> str:
    """That something does not exist, with the nearest name that does."""
    near = [k for k in known if name in (k.rpartition(".")[2], k.casefold())]
    near = near or difflib.get_close_matches(name, list(known), 1)
    return f"{what} does not exist" + (f" (did you mean `{near[0]}`?)" if near else "")


def label(value: object) -> str | None:
    """A value as a spec names it: what YAML reads as a boolean or a number is text here."""
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


class _Reader:
    """Reads a mapping and collects every problem."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.problems: list[str] = []

    def spec(self, value: Mapping[str, Any]) -> Spec:
        self._known(value, _TOP, "the spec")
        tables = value.get("tables") or {}
        if not isinstance(tables, dict):
            self.problems.append("`tables` is no mapping")
            tables = {}
        return Spec(
            source=self._text(value, "source"),
            target=self._text(value, "target"),
            engine=self._choice(value, "engine", tuple(ENGINES), "relational"),
            scale=self._number(value, "scale", 1.0),
            seed=int(self._number(value, "seed", 0)),
            fit_rows=self._fit_rows(value),
            on_new=self._choice(value, "on_new", ON_NEW, "synthesize"),
            tables={
                name: self._table(name, {} if table is None else table)
                for name, table in self._named(tables, "`tables`")
            },
            virtual_foreign_keys=tuple(self._keys(value.get("virtual_foreign_keys") or [])),
            rules=self._rules(value),
            fairness=tuple(self._fairness(value.get("fairness") or [])),
        )

    def _rules(self, value: Mapping[str, Any]) -> tuple[str, ...] | None:
        """The list of rules; one that is there and empty asks for none."""
        if "rules" not in value:
            return None
        rules = value["rules"] or []
        if not isinstance(rules, list) or not all(isinstance(rule, str) for rule in rules):
            self.problems.append("`rules` is no list of sentences")
            return None
        return tuple(rules)

    def _known(self, value: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
        for name in value:
            if name not in names:
                near = difflib.get_close_matches(str(name), names, 1)
                hint = f"did you mean `{near[0]}`?" if near else "known: " + ", ".join(names)
                self.problems.append(f"unknown entry `{name}` in {where} ({hint})")

    def _named(self, value: Mapping[Any, Any], where: str) -> Iterable[tuple[str, Any]]:
        """The entries by their names, which YAML may have taken for something else."""
        for name, entry in value.items():
            if not isinstance(name, str):
                self.problems.append(
                    f"{where} has an entry that YAML reads as {name!r}; put the name in quotes"
                )
            else:
                yield name, entry

    def _text(self, value: Mapping[str, Any], name: str) -> str | None:
        text = value.get(name)
        if text is None:
            return None
        if not isinstance(text, str):
            self.problems.append(f"`{name}` is no text")
            return None
        for variable in _VARIABLE.findall(text):
            if variable not in self.environment:
                self.problems.append(
                    f"`{name}` needs the environment variable `{variable}`, which is not set"
                )
        return _VARIABLE.sub(lambda match: self.environment.get(match[1], ""), text)

    def _choice(
        self, value: Mapping[str, Any], name: str, known: Iterable[str], default: str
    ) -> str:
        chosen = value.get(name, default)
        if chosen not in tuple(known):
            near = difflib.get_close_matches(str(chosen), list(known), 1)
            hint = f"did you mean `{near[0]}`?" if near else "known: " + ", ".join(known)
            self.problems.append(f"unknown {name} `{chosen}` ({hint})")
            return default
        return str(chosen)

    def _number(self, value: Mapping[str, Any], name: str, default: float) -> float:
        number = value.get(name, default)
        if isinstance(number, bool) or not isinstance(number, int | float):
            self.problems.append(f"`{name}` is no number")
            return default
        if not 0 <= number < math.inf:
            self.problems.append(f"`{name}` is no number of 0 or more")
            return default
        return number

    def _fit_rows(self, value: Mapping[str, Any]) -> int:
        rows = value.get("fit_rows", FIT_ROWS)
        if isinstance(rows, bool) or not isinstance(rows, int) or rows < 1:
            self.problems.append("`fit_rows` is no whole number of 1 or more")
            return FIT_ROWS
        return rows

    def _table(self, name: str, value: Any) -> TableSpec:
        where = f"table `{name}`"
        if not isinstance(value, dict):
            self.problems.append(f"{where} is no mapping")
            return TableSpec()
        self._known(value, _TABLE, where)
        strategy = value.get("strategy")
        if strategy is not None and strategy not in STRATEGIES:
            self.problems.append(f"`strategy` of {where} is none of {', '.join(STRATEGIES)}")
            strategy = None
        rows = value.get("rows")
        if rows is not None and (isinstance(rows, bool) or not isinstance(rows, int) or rows < 0):
            self.problems.append(f"`rows` of {where} is no whole number of 0 or more")
            rows = None
        columns = value.get("columns") or {}
        if not isinstance(columns, dict):
            self.problems.append(f"`columns` of {where} is no mapping")
            columns = {}
        named = self._named(columns, f"`columns` of {where}")
        found = {column: self._role(f"{name}.{column}", role) for column, role in named}
        where_ = value.get("where")
        if where_ is not None and not isinstance(where_, str):
            self.problems.append(f"`where` of {where} is no text; put the condition in quotes")
            where_ = None
        roles = {c: r for c, r in found.items() if r is not None}
        return TableSpec(strategy, rows, roles, where_, self._rebalance(name, value))

    def _rebalance(
        self, table: str, value: Mapping[str, Any]
    ) -> dict[str, Mapping[str | None, float]]:
        entries = value.get("rebalance") or {}
        if not isinstance(entries, dict):
            self.problems.append(f"`rebalance` of table `{table}` is no mapping of columns")
            return {}
        found: dict[str, Mapping[str | None, float]] = {}
        for column, shares in self._named(entries, f"`rebalance` of table `{table}`"):
            where = f"`rebalance` of `{table}.{column}`"
            if not isinstance(shares, dict) or not shares:
                self.problems.append(f"{where} is no mapping of values to shares")
                continue
            wrong = [
                label(v) for v, s in shares.items()
                if isinstance(s, bool) or not isinstance(s, int | float) or not 0 <= s <= 1
            ]  # fmt: skip
            if wrong:
                names = ", ".join(f"`{name}`" for name in wrong)
                self.problems.append(f"{where}: the share of {names} is no number from 0 to 1")
            elif sum(shares.values()) > 1 + 1e-9:
                self.problems.append(f"{where}: the shares add up to more than 1")
            else:
                found[column] = {label(v): float(s) for v, s in shares.items()}
        return found

    def _fairness(self, value: Any) -> Iterable[Fairness]:
        for entry in value if isinstance(value, list) else [value]:
            if not isinstance(entry, dict):
                self.problems.append("an entry of `fairness` is no mapping")
                continue
            self._known(entry, _FAIRNESS, "`fairness`")
            kind = self._choice(entry, "kind", FAIR_KINDS, "independent")
            texts = {n: entry.get(n) for n in ("outcome", "protected")}
            if any(not isinstance(t, str) or "." not in t for t in texts.values()):
                self.problems.append(
                    "an entry of `fairness` lacks `outcome` or `protected`, each written as"
                    " `table.column`"
                )
                continue
            given = entry.get("given")
            if (kind == "equal_rates") != isinstance(given, str):
                self.problems.append(
                    f"`fairness` of `{texts['outcome']}`: "
                    + ("`equal_rates` needs `given`, a column of the outcome's table"
                       if kind == "equal_rates" else "`given` goes with `kind: equal_rates` only")
                )  # fmt: skip
                continue
            table = f"{texts['outcome']}".rpartition(".")[0]
            bare = given.removeprefix(f"{table}.") if isinstance(given, str) else None
            yield Fairness(str(texts["outcome"]), str(texts["protected"]), kind, bare)

    def _role(self, where: str, value: Any) -> tuple[Role, str | None] | None:
        role, _, provider = str(value).partition(":")
        role, provider = role.strip(), provider.strip()
        if role not in tuple(r.value for r in Role):
            near = difflib.get_close_matches(role, [r.value for r in Role], 1)
            known = f"did you mean `{near[0]}`?" if near else ", ".join(r.value for r in Role)
            self.problems.append(f"unknown role `{role}` of column `{where}` ({known})")
            return None
        if provider and provider not in PROVIDERS:
            near = difflib.get_close_matches(provider, list(PROVIDERS), 1)
            known = f"did you mean `{near[0]}`?" if near else ", ".join(PROVIDERS)
            self.problems.append(f"unknown provider `{provider}` of column `{where}` ({known})")
            return None
        return Role(role), provider or None

    def _keys(self, value: Any) -> Iterable[ForeignKey]:
        for entry in value if isinstance(value, list) else [value]:
            try:
                child, columns, parent, theirs = (
                    entry["child"], entry["columns"], entry["parent"], entry["parent_columns"],
                )  # fmt: skip
                if (
                    len(columns) != len(theirs)
                    or isinstance(columns, str)
                    or isinstance(theirs, str)
                ):
                    raise TypeError
            except (KeyError, TypeError):
                self.problems.append(
                    "an entry of `virtual_foreign_keys` lacks `child`, `columns`, `parent` or "
                    "`parent_columns`, or the two lists of columns differ in length"
                )
                continue
            yield ForeignKey(
                str(child), tuple(map(str, columns)), str(parent), tuple(map(str, theirs)),
                nullable=True, declared=False,
            )  # fmt: skip
