from __future__ import annotations

from dbsynth.graph import is_unique, make_plan, shared_columns
from dbsynth.schema import Column, ForeignKey, Kind, Schema, Table, UniqueKey


def _table(
    name: str, *columns: str, primary: tuple[str, ...] = (), keys: tuple[ForeignKey, ...] = ()
) -> Table:
    made = tuple(Column(column, Kind.INTEGER, "integer") for column in columns)
    return Table(name, name, None, made, primary, foreign_keys=keys)


def _key(child: str, columns: str, parent: str, *, nullable: bool = False) -> ForeignKey:
    names = tuple(columns.split())
    return ForeignKey(child, names, parent, tuple("id" for _ in names), nullable)


def test_larger_parent_generates_and_the_other_is_dealt() -> None:
    to_big, to_small = _key("c", "b", "big"), _key("c", "s", "small")
    schema = Schema((
        _table("c", "b", "s", keys=(to_small, to_big)), _table("big", "id"), _table("small", "id"),
    ))  # fmt: skip
    plan = make_plan(schema, {"c": 9, "big": 100, "small": 5})
    assert dict(plan.generating) == {"c": to_big}
    assert plan.dealt == (to_small,)
    assert plan.order == ("big", "small", "c")


def test_mandatory_key_generates_before_a_larger_parent() -> None:
    to_big, to_small = _key("c", "b", "big", nullable=True), _key("c", "s", "small")
    schema = Schema((
        _table("c", "b", "s", keys=(to_big, to_small)), _table("big", "id"), _table("small", "id"),
    ))  # fmt: skip
    plan = make_plan(schema, {"c": 9, "big": 100, "small": 5})
    assert dict(plan.generating) == {"c": to_small}


def test_circles_are_cut_and_told() -> None:
    there, back, own = _key("a", "b", "b"), _key("b", "a", "a"), _key("a", "boss", "a")
    schema = Schema((_table("a", "b", "boss", keys=(there, own)), _table("b", "a", keys=(back,))))
    plan = make_plan(schema, {"a": 9, "b": 9})
    assert plan.cycles == (("a", "b"),)
    assert len(plan.generating) == 1
    assert {*plan.generating.values(), *plan.dealt} == {there, back, own}
    assert own in plan.dealt


def test_copied_parents_are_looked_up() -> None:
    key = _key("c", "s", "state")
    schema = Schema((_table("c", "s", keys=(key,)), _table("state", "id")))
    plan = make_plan(schema, {"c": 9, "state": 3}, ["state"])
    assert (plan.lookups, plan.dealt, plan.copied) == ((key,), (), ("state",))


def test_uniqueness_and_shared_columns() -> None:
    narrow, wide = _key("t", "a", "p"), _key("t", "a b", "q")
    table = _table("t", "a", "b", "c", primary=("a", "b"), keys=(narrow, wide))
    assert is_unique(table, ("c", "b", "a"))
    assert not is_unique(table, ("a",))
    assert shared_columns(table, narrow) == {"a"}
    assert UniqueKey(("a",), where="b > 0").plain is False
