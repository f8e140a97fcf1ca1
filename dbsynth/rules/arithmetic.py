"""The search for arithmetic: candidates are tried on a few rows, the survivors on all.

Within a row: a column equals another (perhaps its parent's), another plus or times a constant, the
sum, difference, product or quotient of two, or one of the forms of three that bills are made of.
Along keys: it equals the sum, minimum, maximum or number of children.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dbsynth.rules.base import Bool, Data, Float64, Int64, Kept, Place
from dbsynth.rules.chance import FEWEST, chance_equal, convincing, distinct_cases
from dbsynth.rules.expression import (
    UNITS,
    Aggregate,
    Binary,
    Constant,
    Expression,
    Own,
    Rounded,
    combined,
    rounded,
)
from dbsynth.rules.formula import EXAMPLE, Formula, formula_rule, near, parse
from dbsynth.schema import ForeignKey

__all__ = ["EXAMPLE", "mine", "parse", "reaches"]

_FIRST_ROWS = 8
_ROWS = 128
_SHARE = 0.95  # of the few rows in which a candidate must hold
_WINDOW = 200  # columns that are combined with each other in a wide table
_TRIPLES = 30  # more columns are not combined by three
_PARENTS = 64
_CHILDREN = 20_000
_JUDGED_ROWS = 20_000
_CONSTANT_DIGITS = 6
_ROUGH = 0.01
_MOST_JUDGED = 40  # candidates of one column that hold in the few rows


@dataclass(frozen=True)
class _Block:
    """Candidates of one form: their values in the few rows, and how to say them."""

    values: Float64  # (rows, candidates)
    said: Callable[[int], Expression]

    def __len__(self) -> int:
        return int(self.values.shape[1])


def _joined(blocks: Sequence[_Block]) -> _Block:
    """All candidates of some blocks side by side, in their order."""
    ends = np.cumsum([len(block) for block in blocks])

    def said(i: int) -> Expression:
        place = int(np.searchsorted(ends, i, side="right"))
        return blocks[place].said(i - int(ends[place] - len(blocks[place])))

    return _Block(np.concatenate([block.values for block in blocks], axis=1), said)


@dataclass(frozen=True)
class _Goal:
    """A column in a few rows, and the rows to try a candidate on, the most telling ones first."""

    place: Place
    own: Float64
    unit: float
    present: Int64
    first: Int64


def _goal(data: Data, place: Place, rows: Int64) -> _Goal | None:
    """What candidates have to meet in these rows; None where too few say anything."""
    own = _of(data, place)[rows]
    present = np.flatnonzero(~np.isnan(own))
    if len(present) < _FIRST_ROWS:
        return None
    values, counts = np.unique(own[present], return_counts=True)
    rare = present[own[present] != values[np.argmax(counts)]]
    first = (rare if len(rare) >= _FIRST_ROWS else present)[:_FIRST_ROWS]
    return _Goal(place, own, data.unit(place), present, first)


def mine(data: Data, before: Sequence[Kept]) -> Iterator[Kept]:
    """All columns that follow from others, without circles."""
    del before
    found: list[Kept] = []
    known: dict[ForeignKey, _Families] = {}
    for table in data.schema.tables:
        targets = _targets(data, table.name)
        if not targets or data.rows(table.name) < FEWEST:
            continue
        for window in _windows(targets):
            found += _in_rows(data, table.name, window)
        found += _along_keys(data, table.name, targets, known)
    yield from _acyclic(found)


def _targets(data: Data, table: str) -> list[Place]:
    """Columns that a rule may settle: drawn, varying, in no key."""
    in_keys = {name for key in data.schema[table].keys for name in key.columns}
    return [
        (table, name)
        for name in data.values.get(table, {})
        if (table, name) in data.free and name not in in_keys and _varies(_of(data, (table, name)))
    ]


def _varies(numbers: Float64) -> bool:
    known = numbers[~np.isnan(numbers)]
    if np.isinf(known).any():  # nothing follows from endless times by adding
        return False
    return len(known) >= FEWEST and bool((known != known[0]).any())


def _windows(targets: list[Place]) -> Iterator[list[Place]]:
    if len(targets) <= _WINDOW:
        yield targets
        return
    for start in range(0, len(targets) - _WINDOW // 2, _WINDOW // 2):
        yield targets[start : start + _WINDOW]


def _of(data: Data, place: Place) -> Float64:
    found = data.numbers(place)
    assert found is not None
    return found


# ---------------------------------------------------------------------------------------------
# Within a row
# ---------------------------------------------------------------------------------------------


def _in_rows(data: Data, table: str, targets: Sequence[Place]) -> Iterator[Kept]:
    names = {place[1] for place in targets}
    others = [
        (table, n)
        for n in data.values[table]
        if n in names or ((table, n) not in data.free and _varies(_of(data, (table, n))))
    ]
    above = _parents_columns(data, table)
    rows = _telling_rows(data.rows(table), _ROWS if len(targets) <= _TRIPLES else _ROWS // 4)
    for timed in (True, False):
        own = [Own(p) for p in others if (p in data.times) == timed]
        theirs = [c for c in above if (c.place in data.times) == timed]
        mine = [p for p in targets if (p in data.times) == timed]
        if not mine:
            continue
        blocks = list(_blocks(data, own, theirs, rows, timed=timed))
        if not timed:
            spans = [Own(p) for p in others if p in data.times]
            blocks += _spans(data, spans, rows)
        tried = sum(map(len, blocks)) * len(mine)
        for target in mine:
            goal = _goal(data, target, rows)
            candidates = [e for block in blocks for e in _matching(goal, block)]
            candidates += _with_constants(data, target, own, rows, timed=timed)
            yield from _convincing(data, target, candidates, max(tried, 1))


def _parents_columns(data: Data, table: str) -> list[Own]:
    """Columns of the parents that vary."""
    return [
        Own((fk.parent, name), fk)
        for fk in data.schema[table].foreign_keys
        if fk.parent != table
        for name, numbers in data.values.get(fk.parent, {}).items()
        if _varies(numbers)
    ]


def _telling_rows(rows: int, few: int) -> Int64:
    """A few rows, evenly spread."""
    return np.unique(np.linspace(0, rows - 1, min(rows, few)).astype(np.int64))


def _values(data: Data, column: Own, rows: Int64) -> Float64:
    numbers = _of(data, column.place)
    if column.key is None:
        return numbers[rows]
    return np.append(numbers, np.nan)[data.links(column.key)[rows]]


def _table_of(data: Data, columns: Sequence[Own], rows: Int64) -> Float64:
    if not columns:
        return np.zeros((len(rows), 0))
    return np.stack([_values(data, column, rows) for column in columns], axis=1)


def _blocks(
    data: Data, own: Sequence[Own], above: Sequence[Own], rows: Int64, *, timed: bool
) -> Iterator[_Block]:
    """The forms, from the plainest on."""
    mine, theirs = _table_of(data, own, rows), _table_of(data, above, rows)
    yield _Block(mine, lambda i: own[i])
    yield _Block(theirs, lambda i: above[i])
    if timed or len(own) < 2:
        return
    left, right = np.triu_indices(len(own), 1)
    for sign in "+*":
        yield _paired(sign, own, own, mine, mine, left, right)
    yield _paired("-", own, own, mine, mine, left, right)
    yield _paired("-", own, own, mine, mine, right, left)
    yield _paired("/", own, own, mine, mine, left, right)
    yield _paired("/", own, own, mine, mine, right, left)
    if above:
        each, theirs_each = (a.ravel() for a in np.indices((len(own), len(above))))
        yield _paired("*", own, above, mine, theirs, each, theirs_each)
    if len(own) <= _TRIPLES:
        yield from _triples(own, mine)


def _paired(
    sign: str, first: Sequence[Own], second: Sequence[Own], mine: Float64, theirs: Float64,
    left: Int64, right: Int64,
) -> _Block:  # fmt: skip
    values = combined(sign, mine[:, left], theirs[:, right])
    return _Block(values, lambda i: Binary(sign, first[left[i]], second[right[i]]))


def _triples(own: Sequence[Own], mine: Float64) -> Iterator[_Block]:
    """Sums of three with signs; products with a third as addend, factor, discount or surcharge."""
    left, right = np.triu_indices(len(own), 1)
    pairs, third = (a.ravel() for a in np.indices((len(left), len(own))))
    keep = (third != left[pairs]) & (third != right[pairs])
    a, b, c = left[pairs][keep], right[pairs][keep], third[keep]

    for inner, outer in (("+", "+"), ("+", "-"), ("*", "-"), ("*", "+"), ("*", "*"), ("+", "*")):
        ordered = (inner, outer) in (("+", "+"), ("*", "*"))
        rising = b < c if ordered else np.ones(len(c), bool)
        first, second, last = a[rising], b[rising], c[rising]
        values = combined(outer, combined(inner, mine[:, first], mine[:, second]), mine[:, last])
        yield _Block(values, _said_triple(own, first, second, last, inner, outer))
    for whole in (1.0, 100.0):
        rates = [
            i for i in range(len(own))
            if np.nanmax(np.abs(mine[:, i]), initial=0.0) <= whole
            and (whole == 1.0 or np.nanmax(np.abs(mine[:, i]), initial=0.0) > 1)
        ]  # fmt: skip
        for sign, rate in itertools.product("-+", rates):
            yield from _with_rate(own, mine, left, right, rate, sign, whole)


def _said_triple(
    own: Sequence[Own], a: Int64, b: Int64, c: Int64, inner: str, outer: str
) -> Callable[[int], Expression]:
    return lambda i: Binary(outer, Binary(inner, own[a[i]], own[b[i]]), own[c[i]])


def _with_rate(
    own: Sequence[Own], mine: Float64, left: Int64, right: Int64, rate: int, sign: str,
    whole: float,
) -> Iterator[_Block]:  # fmt: skip
    """Columns and products of two, less or plus a share of themselves."""
    share: Expression = own[rate]
    if whole != 1.0:
        share = Binary("/", share, Constant(whole))
    factor = Binary(sign, Constant(1.0), share)
    factors = combined(sign, np.ones(len(mine)), mine[:, rate] / whole)[:, None]
    yield _Block(mine * factors, lambda i: Binary("*", own[i], factor))
    products = mine[:, left] * mine[:, right] * factors
    yield _Block(products, lambda i: Binary("*", Binary("*", own[left[i]], own[right[i]]), factor))


def _spans(data: Data, times: Sequence[Own], rows: Int64) -> list[_Block]:
    """Days, hours, minutes and seconds between two times."""
    if len(times) < 2:
        return []
    table = _table_of(data, times, rows)
    left, right = (a.ravel() for a in np.indices((len(times), len(times))))
    left, right = left[left != right], right[left != right]
    spans = table[:, left] - table[:, right]
    return [
        _Block(
            spans / UNITS[unit],
            lambda i, unit=unit: Binary(  # type: ignore[misc]
                "/", Binary("-", times[left[i]], times[right[i]]), Constant(1.0, unit)
            ),
        )
        for unit in ("days", "hours", "minutes", "seconds")
    ]


def _matching(goal: _Goal | None, block: _Block) -> Iterator[Expression]:
    """The candidates of a block that hold in the few rows."""
    if goal is None or not len(block):
        return
    open_ = np.arange(len(block))
    for part in (goal.first[:1], goal.first, goal.present):
        found = block.values[part]
        found = found if len(open_) == len(block) else found[:, open_]
        known = ~np.isnan(found)
        agree = (near(goal.own[part][:, None], found, goal.unit) | ~known).sum(axis=0)
        enough = (agree >= _SHARE * len(part)) & (known.any(axis=0) | (part is not goal.present))
        open_ = open_[enough]
        if not len(open_):
            return
    for place in open_:
        expression = block.said(int(place))
        if goal.place not in expression.places:
            yield expression


def _with_constants(
    data: Data, target: Place, own: Sequence[Own], rows: Int64, *, timed: bool
) -> Iterator[Expression]:
    """Another column plus a constant, or times one."""
    others = [column for column in own if column.place != target]
    left, unit = _of(data, target)[rows][:, None], data.unit(target)
    right = _table_of(data, others, rows)
    both = ~(np.isnan(left) | np.isnan(right))
    others = [column for column, known in zip(others, both.sum(axis=0), strict=True) if known > 1]
    if not others:
        return
    right = right[:, both.sum(axis=0) > 1]
    differences = _medians(left - right)
    for place in np.flatnonzero(_agreeing(left, right + differences, unit) & (differences != 0)):
        yield _offset(others[place], float(differences[place]), timed=timed)
    if timed:
        return
    with np.errstate(over="ignore"):  # a ratio to next to nothing, which is none
        ratios = _medians(_of_large(left, right))
    ratios = np.where(np.isfinite(ratios), ratios, 0.0)
    # The ratio is known only roughly where small numbers are rounded; a plain one is looked for.
    rough = np.abs(left - right * ratios) <= unit + _ROUGH * np.abs(left)
    hopeful = (rough | ~(~np.isnan(left - right))).mean(axis=0) >= _SHARE
    for place in np.flatnonzero(hopeful & (ratios != 0)):
        for digits in range(1, _CONSTANT_DIGITS + 1):
            factor = float(f"{ratios[place]:.{digits - 1}e}")
            if factor != 1 and _agreeing(left, right[:, [place]] * factor, unit)[0]:
                yield Binary("*", others[place], Constant(factor))
                break


def _medians(columns: Float64) -> Float64:
    """The median of what is known of each column; 0 where nothing is."""
    unknown = np.isnan(columns).all(axis=0)
    return np.asarray(np.nanmedian(np.where(unknown, 0.0, columns), axis=0))


def _of_large(left: Float64, right: Float64) -> Float64:
    """The ratio of columns where the divisor is not small, which rounding blurs least."""
    large = np.abs(right) >= _medians(np.abs(right))
    return np.where(large, combined("/", left, right), np.nan)


def _agreeing(left: Float64, right: Float64, unit: float) -> Bool:
    """Columns that equal another one in nearly all rows where both are known."""
    known = ~(np.isnan(left) | np.isnan(right))
    held = (near(left, right, unit) & known).sum(axis=0)
    return np.asarray((held >= _SHARE * known.sum(axis=0)) & known.any(axis=0))


def _offset(column: Own, difference: float, *, timed: bool) -> Expression:
    sign, size = ("+", difference) if difference > 0 else ("-", -difference)
    if not timed:
        return Binary(sign, column, Constant(float(f"{size:.12g}")))
    unit = next(unit for unit, width in UNITS.items() if size % width == 0 or width == 1.0)
    return Binary(sign, column, Constant(size / UNITS[unit], unit))


# ---------------------------------------------------------------------------------------------
# Along keys
# ---------------------------------------------------------------------------------------------


def _along_keys(
    data: Data, table: str, targets: Sequence[Place], known: dict[ForeignKey, _Families]
) -> Iterator[Kept]:
    """Columns of a table that gather the children of its rows, or of its rows' parents."""
    ways: list[tuple[ForeignKey, ForeignKey | None]] = []
    for key in data.schema.foreign_keys:
        if key.child == key.parent:
            continue
        if key.parent == table:
            ways.append((key, None))
        ways += [
            (key, up)
            for up in data.schema[table].foreign_keys
            if up.parent == key.parent and table not in (up.parent, key.child)
        ]
    found = [(_families_of(data, key, up, known), up) for key, up in ways]
    tried = sum(len(block) for (_, both), _ in found for block in both.values()) * len(targets)
    for target in targets:
        candidates: list[Expression] = []
        for (rows, both), up in found:
            block = both.get(target in data.times)
            if block is None:
                continue
            for one in _matching(_goal(data, target, rows), block):
                assert isinstance(one, Aggregate)
                candidates.append(replace(one, up=up))
        yield from _convincing(data, target, candidates, max(tried, 1))


_Families = tuple[Int64, dict[bool, _Block]]
"""Some rows, and all that can be gathered of the children under each: times apart from numbers."""


def _families_of(
    data: Data, key: ForeignKey, up: ForeignKey | None, known: dict[ForeignKey, _Families]
) -> _Families:
    """Families of the parents of a key, or of the rows that hang under these parents."""
    if key not in known:
        known[key] = _gathered(data, key)
    parents, both = known[key]
    if up is None or not len(parents):
        return parents, both
    links = data.links(up)
    rows = np.flatnonzero(np.isin(links, parents))[: 4 * _ROWS]
    place = np.searchsorted(parents, links[rows])
    return rows, {timed: _Block(block.values[place], block.said) for timed, block in both.items()}


def _gathered(data: Data, key: ForeignKey) -> _Families:
    """Everything that can be gathered from the children of some parents; rising parents."""
    links = data.links(key)
    linked = np.flatnonzero(links >= 0)
    if len(linked) < FEWEST:
        return np.zeros(0, np.int64), {}
    counts = np.bincount(links[linked], minlength=data.rows(key.parent))
    parents = _some_parents(counts)
    rows = np.flatnonzero(np.isin(links, parents))
    rows = rows[np.argsort(links[rows], kind="stable")]
    starts = np.searchsorted(links[rows], parents)
    number = counts[parents].astype(np.float64)[:, None]
    both = {False: [_Block(number, lambda _: Aggregate("count", None, key))], True: []}
    for timed in (True, False):
        columns = [
            Own((key.child, name))
            for name, numbers in data.values.get(key.child, {}).items()
            if ((key.child, name) in data.times) == timed and _varies(numbers)
        ]
        if not columns:
            continue
        table = _table_of(data, columns, rows)
        single = _Block(table, columns.__getitem__)
        both[timed] += [_aggregated(f, single, None, starts, key) for f in ("min", "max")]
        if timed:
            continue
        both[timed].append(_aggregated("sum", single, None, starts, key))
        whole = all(data.unit(column.place) == 1.0 for column in columns)
        for inner in _products(columns, table):
            for digits in (None,) if whole else (None, 2):
                both[timed].append(_aggregated("sum", inner, digits, starts, key))
    return parents, {timed: _joined(blocks) for timed, blocks in both.items() if blocks}


def _products(columns: Sequence[Own], table: Float64) -> list[_Block]:
    """What lines of bills are made of."""
    if len(columns) < 2 or len(columns) > _WINDOW:
        return []
    left, right = np.triu_indices(len(columns), 1)
    found = [_paired("*", columns, columns, table, table, left, right)]
    if len(columns) <= _TRIPLES // 2:
        found += _triples(columns, table)
    return found


def _some_parents(counts: Int64) -> Int64:
    """Parents with children, those with several first, whose children are not too many."""
    several = np.flatnonzero(counts > 1)
    parents = several if len(several) >= _FIRST_ROWS else np.flatnonzero(counts > 0)
    parents = parents[np.linspace(0, len(parents) - 1, min(len(parents), _PARENTS)).astype(int)]
    parents = np.unique(parents)
    light = parents[np.argsort(counts[parents], kind="stable")]
    return np.sort(light[: max(1, int((np.cumsum(counts[light]) <= _CHILDREN).sum()))])


def _aggregated(
    function: str, inner: _Block, digits: int | None, starts: Int64, key: ForeignKey
) -> _Block:
    values = inner.values if digits is None else rounded(inner.values, digits)
    if function == "sum":
        taken = np.add.reduceat(np.nan_to_num(values), starts, axis=0)
    else:
        taken = (np.fmin if function == "min" else np.fmax).reduceat(values, starts, axis=0)

    def said(i: int) -> Expression:
        one = inner.said(i)
        return Aggregate(function, one if digits is None else Rounded(one, digits), key)

    return _Block(taken, said)


# ---------------------------------------------------------------------------------------------
# Judging
# ---------------------------------------------------------------------------------------------


def _convincing(
    data: Data, target: Place, candidates: Iterable[Expression], tried: int
) -> Iterator[Kept]:
    """The candidates that are rules, of a few plain ones."""
    plainest = sorted(candidates, key=lambda e: (e.size, _turned(e), len(e.words(data.schema))))
    for expression in plainest[:_MOST_JUDGED]:
        kept = _judged(data, target, expression, tried)
        if kept is not None:
            yield kept


def _turned(expression: Expression) -> int:
    """How many differences, quotients and found numbers there are: the plainer way has none."""
    if isinstance(expression, Constant):
        return int(expression.number not in (1.0, 100.0))
    if isinstance(expression, Binary):
        own = expression.sign in "-/" and not isinstance(expression.left, Constant)
        return own + _turned(expression.left) + _turned(expression.right)
    inner = getattr(expression, "inner", None)
    return 0 if inner is None else _turned(inner)


def _judged(data: Data, target: Place, expression: Expression, tried: int) -> Kept | None:
    rule = formula_rule(data.schema, target, expression)
    cases, wanted = rule.cases(data), expression.value(data)
    if cases is None or wanted is None or cases.of < FEWEST:
        return None
    own = _of(data, target)
    wanted = np.broadcast_to(wanted, own.shape)
    rows = np.flatnonzero(cases.could)
    if len(rows) > _JUDGED_ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, _JUDGED_ROWS).astype(np.int64)]
    chance = _chance(own[rows], wanted[rows], data.unit(target))
    inputs = [_inputs(data, place, target[0], expression) for place in expression.places]
    same = [column[rows] for column in inputs if column is not None and len(column) == len(own)]
    distinct = distinct_cases(*same) if same else _families(data, expression, rows)
    if not convincing(cases.held, cases.of, distinct, chance, tried):
        return None
    for column in (own[rows], wanted[rows], *same):
        if not _tells(column, cases.broken[rows]):
            return None
    return Kept(rule, cases.held, cases.of)


def _families(data: Data, expression: Expression, rows: Int64) -> int:
    """How many different families the rows gather."""
    up = expression.up if isinstance(expression, Aggregate) else None
    return len(rows) if up is None else len(np.unique(data.links(up)[rows]))


def _chance(own: Float64, wanted: Float64, unit: float) -> float:
    tolerance = 0.5 * unit if unit else 1e-6 * float(np.median(np.abs(own)))
    return chance_equal(own, wanted, tolerance)


def _inputs(data: Data, place: Place, table: str, expression: Expression) -> Float64 | None:
    """A column of the expression, row by row, or which parent it is of; None for children."""
    if place[0] == table:
        return data.numbers(place)
    for key in expression.keys:
        if key.child == table and key.parent == place[0] and not _gathers(expression):
            return data.links(key).astype(np.float64)
    return None


def _gathers(expression: Expression) -> bool:
    return isinstance(expression, Aggregate)


def _tells(column: Float64, broken: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> bool:
    """Whether the rule was also put to the test where a column has not its commonest value."""
    values, counts = np.unique(column, return_counts=True)
    if counts.max() < len(column) / 2:
        return True
    rare = column != values[np.argmax(counts)]
    return int(rare.sum()) >= FEWEST and float(broken[rare].mean()) <= 1 - _SHARE


def _acyclic(found: Sequence[Kept]) -> Iterator[Kept]:
    """The rules, each column settled once, none by a way round that leads back to it."""
    needs: dict[Place, set[Place]] = {}
    for kept in sorted(found, key=_rank):
        rule = kept.rule
        assert isinstance(rule, Formula)
        inputs = set(rule.places[1:])
        if rule.target in needs or reaches(needs, inputs, rule.target):
            continue
        needs[rule.target] = inputs
        yield kept


def _rank(kept: Kept) -> tuple[float, int, int, int]:
    """What holds more often comes first, then what is said more plainly."""
    rule = kept.rule
    assert isinstance(rule, Formula)
    size, turned = rule.expression.size, _turned(rule.expression)
    return -kept.held / kept.of, size, turned, len(str(rule))


def reaches(needs: dict[Place, set[Place]], start: set[Place], goal: Place) -> bool:
    """Whether something in ``start`` follows, perhaps by a long way, from the goal."""
    open_, seen = list(start), set(start)
    while open_:
        place = open_.pop()
        if place == goal:
            return True
        fresh = needs.get(place, set()) - seen
        seen |= fresh
        open_ += fresh
    return False
