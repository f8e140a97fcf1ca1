"""The user's spec: a YAML file kept in git, as frozen values.

What may stand in it is said once, in `SHAPE`: the reader, the editor's JSON schema and the list of
known names follow from there.  Every problem of a file is collected and reported at once, with its
line.  ``${NAME}`` is replaced from the environment that the caller hands in, and nowhere else.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from dbsynth.classify import Decision, Role, Strategy
from dbsynth.engines import ENGINES, TRAINED
from dbsynth.errors import SpecError
from dbsynth.identifiers import PROVIDERS
from dbsynth.rules import Rule, RuleError, parse_rule
from dbsynth.schema import ForeignKey, Schema, Table
from dbsynth.spec.acceptance import Accepted, acceptance_shape
from dbsynth.spec.documents import Document, read_document
from dbsynth.spec.protection import Protection, protection_shape
from dbsynth.spec.shapes import (
    Choice,
    Named,
    Number,
    Problems,
    Record,
    Several,
    Spot,
    Text,
    meant,
    shown,
    told,
)

PRIVATE = "dp"  # the engine that fits whole databases, with differential privacy
STRATEGIES = ("synthesize", "copy", "mask", "subset", "empty", "skip")
ON_NEW = ("stop", "synthesize", "propose")
ON_BROKEN_RULE = ("note", "stop")
FIT_ROWS = 1_000_000
FAIR_KINDS = ("independent", "equal_rates")
HINT = "mend the spec; `dbsynth init --update` brings in what is new, `dbsynth diff` lists it"
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_ROLE = re.compile(r"\s*(?P<role>[^\s:]*)\s*(?::\s*(?P<provider>\S*)\s*)?(?:\s+as\s+(?P<type>.+))?",
                   re.DOTALL)  # fmt: skip


@dataclass(frozen=True)
class TableSpec:
    """What the user says of one table.

    Attributes:
        rows: Rows wanted, instead of the real number times the scale.
        columns: Role and provider of columns; the provider is None where the role needs none.
        types: The types of columns, as the database wrote them when they were reviewed.
        where: A condition that every row shall meet.
        rebalance: Per column, the share wanted of values (or ranges of numbers); None stands for
            NULL.
        approved_by: Who answers for real values of people that come through.
        share: Share of the real rows that a subset chooses.
    """

    strategy: str | None = None
    rows: int | None = None
    columns: Mapping[str, tuple[Role, str | None]] = field(default_factory=dict)
    where: str | None = None
    rebalance: Mapping[str, Mapping[str | None, float]] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    approved_by: str | None = None
    share: float | None = None


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
        epochs: How often the networks of the engines `ctgan` and `tvae` see each row; None for the
            default of SDV.
        on_new: What happens to tables and columns that the spec does not list, or lists with
            another type: ``stop``; ``synthesize`` from the type alone; or ``propose``, which learns
            them as if there was no spec.
        on_broken_rule: What happens where drawn rows break a rule: ``note``, or ``stop``.
        rules: Sentences of the rules to keep, and no others; None for all that are mined.
        constraints: What was reviewed of keys, CHECKs and labels (`dbsynth.spec.constraints`); None
            where nothing was recorded.
        accepted: Findings of the gate that somebody answers for.
        lines: The line of each entry of the file by its path.
    """

    source: str | None = None
    target: str | None = None
    engine: str = "relational"
    epochs: int | None = None
    scale: float = 1.0
    seed: int = 0
    fit_rows: int = FIT_ROWS
    on_new: str = "propose"
    on_broken_rule: str = "note"
    tables: Mapping[str, TableSpec] = field(default_factory=dict)
    virtual_foreign_keys: tuple[ForeignKey, ...] = ()
    rules: tuple[str, ...] | None = None
    constraints: tuple[str, ...] | None = None
    fairness: tuple[Fairness, ...] = ()
    privacy: Protection | None = None
    accepted: tuple[Accepted, ...] = ()
    lines: Mapping[tuple[str | int, ...], int] = field(
        default_factory=dict, compare=False, repr=False
    )

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
        document, dropped = read_document(path), tuple(without)
        kept = {name: entry for name, entry in document.value.items() if name not in dropped}
        return cls._read(Document(kept, document.lines), environment, said or {})

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
        return cls._read(Document(value), environment, said or {})

    @classmethod
    def _read(
        cls, document: Document, environment: Mapping[str, str], said: Mapping[str, Any]
    ) -> Spec:
        urls = {name: said[name] for name in ("source", "target") if name in said}
        lines = {path: line for path, line in document.lines.items() if path[0] not in said}
        problems: Problems = []
        value = {**document.value, **said, **dict.fromkeys(urls)}
        spec: Spec = spec_shape().read(value, Spot((), "the spec", problems))
        for name in ("source", "target"):
            text = getattr(spec, name)
            if text is not None:
                urls.setdefault(name, _filled(text, environment, (name,), problems))
        if problems:
            raise SpecError("; ".join(told(problems, lines)), hint=_hint(problems, said))
        return replace(spec, lines=lines, **urls)

    def with_keys(self, schema: Schema) -> Schema:
        """The schema with the virtual foreign keys."""
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

    def unreadable(self, schema: Schema) -> Iterable[str]:
        """What is wrong with the list of rules."""
        problems: Problems = []
        for place, text in enumerate(self.rules or ()):
            try:
                parse_rule(text, schema)
            except RuleError as error:
                problems.append((("rules", place), str(error)))
        return told(problems, self.lines)

    def unknown(
        self, schema: Schema, instead: Mapping[tuple[str | int, ...], str] | None = None
    ) -> Iterable[str]:
        """What the spec names and the schema does not have, each once, with its line.

        Args:
            instead: Better words for what is wrong at a place.
        """
        named: list[tuple[tuple[str | int, ...], str, Iterable[str]]] = []
        for name, table in self.tables.items():
            named.append((("tables", name, "columns"), name, table.columns))
            named.append((("tables", name, "rebalance"), name, table.rebalance))
        for place, fair in enumerate(self.fairness):
            path: tuple[str | int, ...] = ("fairness", place)
            name, _, column = fair.outcome.rpartition(".")
            named.append((path, name, (column,) if fair.given is None else (column, fair.given)))
            name, _, column = fair.protected.rpartition(".")
            named.append((path, name, (column,)))
        for place, fk in enumerate(self.virtual_foreign_keys):
            path = ("virtual_foreign_keys", place)
            named += [(path, fk.child, fk.columns), (path, fk.parent, fk.parent_columns)]
        for inner, name, columns in self.privacy.named() if self.privacy else ():
            named.append((("privacy", *inner), name, columns))
        problems = [
            (place, (instead or {}).get(place, text))
            for path, name, columns in named
            for place, text in _missing(schema, path, name, columns)
        ]
        return told(problems, self.lines)

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


def _missing(
    schema: Schema, path: tuple[str | int, ...], name: str, columns: Iterable[str]
) -> Iterable[tuple[tuple[str | int, ...], str]]:
    """What is wrong with the name of a table and the names of its columns, each with its place."""
    what = dict(schema.others).get(name)
    if what is not None:
        yield path[:2], f"`{name}` is a {what}, and only base tables can be named"
    elif name not in schema.table_by_name:
        yield path[:2], not_there(f"table `{name}`", name, schema.table_by_name)
    else:
        known = schema[name].column_by_name
        for column in columns:
            if column not in known:
                yield (*path, column), not_there(f"column `{name}.{column}`", column, known)


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


# ---------------------------------------------------------------------------------------------
# What may stand in the file
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Column:
    """The role of a column, behind a colon its provider, behind ``as`` its type."""

    def read(self, value: Any, at: Spot) -> tuple[Role, str | None, str | None] | None:
        """Role, provider and type."""
        match = _ROLE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            at.wrong(f"{at.name} has no role, such as `category` or `identifier:email`")
            return None
        role, provider = match["role"], match["provider"]
        roles = [r.value for r in Role]
        where = at.name.removeprefix("column ")
        if role not in roles:
            at.wrong(f"unknown role `{shown(role)}` of column {where} ({meant(role, roles)})")
            return None
        if provider and provider not in PROVIDERS:
            at.wrong(
                f"unknown provider `{shown(provider)}` of column {where}"
                f" ({meant(provider, PROVIDERS)})"
            )
            return None
        return Role(role), provider or None, match["type"]

    def schema(self) -> dict[str, Any]:
        """The words that an editor offers, or these with a type behind them."""
        roles = [role.value for role in Role]
        with_provider = [
            f"{role}:{provider}"
            for role in (Role.IDENTIFIER, Role.RENAMED, Role.TEXT)
            for provider in PROVIDERS
        ]
        pattern = f"^({'|'.join(roles)})(:({'|'.join(PROVIDERS)}))?( as .+)?$"
        return {
            "description": "What becomes of the column: a role, behind a colon a provider, and"
            " behind `as` the type that was reviewed.",
            "anyOf": [{"enum": [*roles, *with_provider]}, {"type": "string", "pattern": pattern}],
        }


@dataclass(frozen=True)
class _Shares:
    """The shares wanted of the values of a column."""

    def read(self, value: Any, at: Spot) -> dict[str | None, float] | None:
        """The shares by the names of the values."""
        if not isinstance(value, dict) or not value:
            at.wrong(f"{at.name} is no mapping of values to shares")
            return None
        wrong = [
            f"`{shown(label(v))}`" for v, s in value.items()
            if isinstance(s, bool) or not isinstance(s, int | float) or not 0 <= s <= 1
        ]  # fmt: skip
        if wrong:
            at.wrong(f"{at.name}: the share of {', '.join(wrong)} is no number from 0 to 1")
        elif sum(value.values()) > 1 + 1e-9:
            at.wrong(f"{at.name}: the shares add up to more than 1")
        else:
            return {label(v): float(s) for v, s in value.items()}
        return None

    def schema(self) -> dict[str, Any]:
        """An object of numbers."""
        return {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1},
        }


def _in_table(name: str, at: Spot) -> str:
    """A column in words, from the place of the table that it is in."""
    return f"`{at.path[1]}.{name}`"


def _table_shape() -> Record:
    return Record(
        "What happens to a table.",
        {
            "strategy": Choice("What happens to the rows.", STRATEGIES),
            "approved_by": Text(
                "Who answers for real values of people that come through, and when."
            ),
            "share": Number(
                "Share of the real rows that a subset chooses.", high=1, above=True
            ),
            "rows": Number("Rows wanted, instead of the scale.", whole=True),
            "where": Text(
                "A condition that all rows meet, or that chooses the rows of a subset.",
                advice="; put the condition in quotes",
            ),
            "rebalance": Named(
                "The shares wanted of values, by column.", _Shares(),
                lambda name, at: f"`rebalance` of {_in_table(name, at)}",
            ),
            "columns": Named(
                "What becomes of each column.", _Column(),
                lambda name, at: f"column {_in_table(name, at)}",
            ),
        },
        then=_table_of,
    )  # fmt: skip


def _table_of(found: dict[str, Any], at: Spot) -> TableSpec:
    strategy = found.get("strategy", "synthesize")
    if "share" in found and strategy != "subset":
        at.inside("share", "").wrong(f"`share` of {at.name} goes with `strategy: subset` only")
    for name in ("rows", "rebalance"):
        if name in found and strategy in ("mask", "subset"):
            at.inside(name, "").wrong(f"`{name}` of {at.name}: its rows are real ones, not drawn")
    columns = found.pop("columns", {})
    return TableSpec(
        **found,
        columns={name: (role, provider) for name, (role, provider, _) in columns.items()},
        types={name: type_ for name, (_, _, type_) in columns.items() if type_},
    )


def _entries() -> dict[str, Any]:
    names = Several("Columns.", Text("A column."), "an entry")
    return {
        "source": Text("The URL of the database that is read."),
        "target": Text("The URL of the database that becomes the clone."),
        "engine": Choice("How tables are learnt.", (*ENGINES, PRIVATE)),
        "epochs": Number(
            "How often a network sees each row (engines ctgan and tvae); SDV's default is 300.",
            low=1, whole=True,
        ),
        "scale": Number("Factor on numbers of rows."),
        "seed": Number("Same seed, same bytes.", whole=True),
        "fit_rows": Number(
            "Larger tables are learnt from about so many rows.", low=1, whole=True
        ),
        "on_new": Choice(
            "What happens to tables and columns that are not listed, or have another type: stop;"
            " synthesize them from the type alone; propose, as if there was no spec.", ON_NEW,
        ),
        "on_broken_rule": Choice(
            "What happens where drawn rows break a rule: a note in the report, or the run stops.",
            ON_BROKEN_RULE,
        ),
        "tables": Named(
            "The tables by their names.", _table_shape(),
            lambda name, at: f"table `{name}`", {},
        ),
        "fairness": Several(
            "Outcomes that shall not depend on a protected column.", _fairness_shape(),
            "an entry of `fairness`", alone=True,
        ),
        "virtual_foreign_keys": Several(
            "References that the database does not declare.",
            Record(
                "A reference.",
                {
                    "child": Text("The table that refers."), "columns": names,
                    "parent": Text("The table that is referred to."), "parent_columns": names,
                },
                ("child", "columns", "parent", "parent_columns"),
                then=_key_of,
            ),
            "an entry of `virtual_foreign_keys`", alone=True,
        ),
        "rules": Several(
            "The rules that are kept; without the list all that hold in the source.",
            Text("A rule."), "an entry of `rules`",
        ),
        "constraints": Several(
            "Keys, CHECKs and labels as they were reviewed, which `dbsynth diff` compares.",
            Text("A constraint."), "an entry of `constraints`",
        ),
        "privacy": protection_shape(),
        "accepted": acceptance_shape(),
    }  # fmt: skip


def _fairness_shape() -> Record:
    return Record(
        "An outcome that shall not depend on a protected column.",
        {
            "outcome": Text("The outcome, as table.column."),
            "protected": Text("The protected column, as table.column."),
            "kind": Choice("The same rates everywhere, or for each value of `given`.", FAIR_KINDS),
            "given": Text("A column of the outcome's table."),
        },
        ("outcome", "protected"),
        then=_fair_of,
    )


def _fair_of(found: dict[str, Any], at: Spot) -> Fairness | None:
    outcome, protected = found["outcome"], found["protected"]
    kind, given = found.get("kind", "independent"), found.get("given")
    if "." not in outcome or "." not in protected:
        at.wrong(f"{at.name} names `outcome` or `protected` otherwise than as `table.column`")
    elif kind == "equal_rates" and given is None:
        at.wrong(
            f"`fairness` of `{shown(outcome)}`: `equal_rates` needs `given`, a column of the"
            " outcome's table"
        )
    elif kind != "equal_rates" and given is not None:
        at.wrong(f"`fairness` of `{shown(outcome)}`: `given` goes with `kind: equal_rates` only")
    else:
        table = outcome.rpartition(".")[0]
        return Fairness(outcome, protected, kind, given and given.removeprefix(f"{table}."))
    return None


def _key_of(found: dict[str, Any], at: Spot) -> ForeignKey | None:
    columns, theirs = tuple(found["columns"]), tuple(found["parent_columns"])
    if len(columns) != len(theirs) or not columns:
        at.wrong(f"{at.name} has `columns` and `parent_columns` of different length")
        return None
    return ForeignKey(
        found["child"], columns, found["parent"], theirs, nullable=True, declared=False
    )


def _spec_of(found: dict[str, Any], at: Spot) -> Spec:
    """The spec; one that lists columns was reviewed, so what it does not list stops the run."""
    names = ("virtual_foreign_keys", "fairness", "rules", "constraints", "accepted")
    lists = {name: tuple(found[name]) for name in names if name in found}
    for name, table in found.get("tables", {}).items():
        if found.get("engine") == PRIVATE and table.strategy in ("mask", "subset"):
            Spot(("tables", name, "strategy"), "", at.problems).wrong(
                f"table `{name}`: `strategy: {table.strategy}` lets real rows through, which no"
                f" `engine: {PRIVATE}` can protect"
            )
    _check_accepted(lists.get("accepted", ()), found.get("engine"), at)
    if "epochs" in found and found.get("engine") not in TRAINED:
        Spot(("epochs",), "", at.problems).wrong(
            f"`epochs` goes with `engine: {'` or `'.join(TRAINED)}` only"
        )
    reviewed = any(table.columns for table in found.get("tables", {}).values())
    on_new = "stop" if reviewed else "propose"
    given: dict[str, Any] = {"on_new": on_new, **found, **lists}
    return Spec(**given)


def _check_accepted(entries: tuple[Accepted, ...], engine: str | None, at: Spot) -> None:
    known: set[str] = set()
    for place, entry in enumerate(entries):
        spot = Spot(("accepted", place), "", at.problems)
        if engine == PRIVATE:
            spot.wrong(f"nothing can be accepted: no clone of `engine: {PRIVATE}` is searched")
        elif entry.finding in known:
            spot.wrong(f"`{shown(entry.finding)}` is accepted twice")
        known.add(entry.finding)


@cache
def spec_shape() -> Record:
    """What may stand in a spec file."""
    return Record("What dbsynth does with a database.", _entries(), whole=("rules",), then=_spec_of)


def _hint(problems: Problems, said: Mapping[str, Any]) -> str:
    """Where to mend what is wrong: in the options of the command, in the file, or in both."""
    named = dict.fromkeys(path[0] for path, _ in problems if path and path[0] in said)
    hints = [f"give {' and '.join(f'`--{n}`' for n in named)} another value"] if named else []
    if any(not path or path[0] not in said for path, _ in problems):
        hints.append("mend the spec; `dbsynth init` writes a new one")
    return "; ".join(hints)


def _filled(
    text: str, environment: Mapping[str, str], path: tuple[str, ...], problems: Problems
) -> str:
    """A text with its variables replaced."""
    for variable in _VARIABLE.findall(text):
        if variable not in environment:
            problems.append(
                (path, f"`{path[0]}` needs the environment variable `{variable}`, which is not set")
            )
    return _VARIABLE.sub(lambda match: environment.get(match[1], ""), text)
