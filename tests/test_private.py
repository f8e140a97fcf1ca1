"""The engine `dp`: what its models hold, what its clones are like, and what it refuses."""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from private_world import CANARY, build, build_tiny

import dbsynth
from dbsynth.cli import run
from dbsynth.cli.inspect import inspect
from dbsynth.databases import open_database
from dbsynth.errors import EngineError, MissingExtra, SpecError
from dbsynth.model import load_model
from dbsynth.private.audit import Script, Trial, lower_bound
from dbsynth.private.design import design_of
from dbsynth.private.domains import coarse_edges, codec_of_edges, refined
from dbsynth.private.fit import fitted, public_tables
from dbsynth.private.mechanisms import OpenDP, noise_of
from dbsynth.private.sizes import rows_within
from dbsynth.private.texts import examples, possible
from dbsynth.progress import Silent
from dbsynth.schema import Check, Column, Kind, Table
from dbsynth.spec import Spec


def spec_of(tmp_path, **privacy):
    said = {
        "unit": "customer", "epsilon": 3, "delta": 1e-6, "public": ["country"],
        "ledger": str(tmp_path / "ledger.jsonl"), **privacy,
    }  # fmt: skip
    return Spec.parse({"engine": "dp", "privacy": said}, {})


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """A database, and one that has one entity more."""
    folder = tmp_path_factory.mktemp("worlds")
    return build(folder / "without.db", 300), build(folder / "with.db", 300, extra=CANARY)


def ask(url, spec, seed, words=("gold", "web", "made up")):
    script = Script(np.random.default_rng(seed), frozenset(words))
    with open_database(url) as database:
        design = design_of(database, spec)
        model = fitted(database, design, public_tables(database, design), script, Silent())
    return script.asked, model


def same_members(one, two):
    """Whether two model files are equal but for the time of day in them."""
    one, two = zipfile.ZipFile(one), zipfile.ZipFile(two)
    return {n: one.read(n) for n in one.namelist()} == {n: two.read(n) for n in two.namelist()}


@pytest.mark.parametrize("caps", [{}, {"purchase": 40, "line": 200}])
@pytest.mark.parametrize("seed", range(3))
def test_neighbours_differ_in_nothing_but_noisy_answers(worlds, tmp_path, seed, caps):
    """Whatever the answers are, they and the design are all that a model is made of, and one entity
    moves the exact answer of no question by more than the question claims."""
    spec = spec_of(tmp_path, caps=caps)
    asked, model = ask(worlds[0], spec, seed)
    asked_too, model_too = ask(worlds[1], spec, seed)
    paths = [tmp_path / "one.dbsynth", tmp_path / "two.dbsynth"]
    model.save(paths[0])
    model_too.save(paths[1])
    assert same_members(*paths)
    assert len(asked) == len(asked_too) > 20
    moved = [a.distance(b) / a.sensitivity for a, b in zip(asked, asked_too, strict=True)]
    assert max(moved) <= 1
    assert np.mean(np.array(moved) > 0) > 0.5  # the entity is in most of them
    if caps:  # of which some are as far apart as they may be
        assert max(moved) > 0.7


def test_a_claim_that_is_too_small_is_noticed(worlds, tmp_path):
    """The audit of distances can fail: an entity of 150 lines moves counts by more than 15."""
    spec = spec_of(tmp_path, caps={"purchase": 40, "line": 200})
    asked, _ = ask(worlds[0], spec, 0)
    asked_too, _ = ask(worlds[1], spec, 0)
    assert any(a.distance(b) > 15 for a, b in zip(asked, asked_too, strict=True))


RUNS = 12_000


class Halved(OpenDP):
    """A build that is broken: half of the noise."""

    def counts(self, exact, sensitivity, rho):
        return super().counts(exact, sensitivity, 4 * rho)


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """Questions that the entity moves as far as it may: it fills its cap with equal rows."""
    folder = tmp_path_factory.mktemp("trial")
    spec = spec_of(folder, caps={"purchase": 20}, public=[])
    urls = [build_tiny(folder / f"{canary}.db", canary=canary) for canary in (False, True)]
    asked = [ask(url, spec, 1)[0] for url in urls]
    return Trial(asked[1], asked[0]), spec.privacy


def test_the_audit_passes_the_build_and_fails_one_with_half_of_the_noise(trial):
    """12,000 runs of all counts in either world.  A right build has a mu of sqrt(2 rho) = .54 at most
    and, with the choices left aside, of .52, which is an epsilon of 2.4; with 95 % confidence the
    bound lies below, and as half of the runs judge, each rate is known to .015, so that the bound
    is about .08 lower still, give or take .03.  Half of the noise doubles mu, and the bound with it."""
    questions, said = trial
    noise = noise_of(None)
    right = lower_bound(*questions.statistics(noise, RUNS), said.delta)
    wrong = lower_bound(*questions.statistics(Halved(noise.library), RUNS), said.delta)
    # The figures of the audit are to be seen with `pytest -s`, not only that they pass.
    print(f"\nepsilon: claimed {said.epsilon}, right build {right}, half of the noise {wrong}")  # noqa: T201
    assert 1 < right.epsilon < said.epsilon  # and it sees most of what there is to see
    assert right.counted < said.epsilon
    assert wrong.epsilon > said.epsilon


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return build(tmp_path_factory.mktemp("shop") / "shop.db", 4000)


def rows(url, query):
    return sqlite3.connect(url.removeprefix("sqlite:///")).execute(query).fetchall()


def test_a_clone_is_like_its_source(shop, tmp_path):
    """At epsilon 30 noise is small: shares of 4,000 customers and 2 x 4,000 purchases within .05,
    means within a tenth, which is many standard errors of either."""
    target = f"sqlite:///{tmp_path / 'clone.db'}"
    report = dbsynth.clone(shop, target, spec=spec_of(tmp_path, epsilon=30))
    assert report.ok
    for table in ("customer", "purchase", "line"):
        count = f"select count(*) from {table}"
        assert rows(target, count)[0][0] == pytest.approx(rows(shop, count)[0][0], rel=0.1)
    for query in (
        "select tier, count(*) / 4000.0 from customer group by 1",
        "select tier, count(*) / 8000.0 from purchase join customer c on c.id = customer_id"
        " group by 1",
        "select channel, count(*) / 8000.0 from purchase where channel is not null group by 1",
        "select 1, avg(a.channel = b.channel) from purchase a join purchase b"
        " on b.id = a.id + 1 and a.customer_id = b.customer_id",
        "select 1, avg(referrer_id is null) from customer",
    ):
        real, made = dict(rows(shop, query)), dict(rows(target, query))
        assert real.keys() == made.keys()
        assert all(abs(real[k] - made[k]) < 0.05 for k in real), (query, real, made)
    follow = "select {} from purchase a join purchase b on b.id = a.id + 1 and a.customer_id = b.customer_id"
    assert rows(target, follow.format("min(b.bought >= a.bought)")) == [(1,)]
    days = follow.format("avg(julianday(b.bought) - julianday(a.bought))")
    # Times are drawn for whole families, so that powers of two of the gaps are right on average;
    # the gaps themselves are then within a quarter.
    assert rows(target, days)[0][0] == pytest.approx(rows(shop, days)[0][0], rel=0.25)
    for query in (
        "select tier, avg(income) from customer group by 1",
        "select tier, avg(amount) from purchase join customer c on c.id = customer_id group by 1",
        "select 1, avg(quantity) from line",
    ):
        real, made = dict(rows(shop, query)), dict(rows(target, query))
        assert all(made[k] == pytest.approx(real[k], rel=0.15) for k in real), (query, real, made)
    names = {name for (name,) in rows(shop, "select name from customer")}
    assert not names & {name for (name,) in rows(target, "select name from customer")}


def test_three_nightly_fits_share_a_budget_and_the_fourth_is_refused(shop, tmp_path):
    spec = spec_of(tmp_path, fits=3, epsilon=30)
    for night in range(3):
        model, _ = dbsynth.fit(shop, tmp_path / f"{night}.dbsynth", spec=spec)
        assert model.privacy["ledger"]["entry"] == night + 1
        assert model.privacy["spent"]["rho"] <= model.privacy["fit"]["rho"] * (1 + 1e-9)
    with pytest.raises(EngineError, match="3 fits have spent epsilon 30 of 30"):
        dbsynth.fit(shop, tmp_path / "4.dbsynth", spec=spec)
    assert not (tmp_path / "4.dbsynth").exists()


def test_the_command_line_refits_three_nights_and_refuses_the_fourth(shop, tmp_path):
    path, ledger = tmp_path / "spec.yaml", tmp_path / "ledger.jsonl"
    path.write_text(
        f"source: {shop}\nengine: dp\nprivacy:\n  unit: customer\n  epsilon: 30\n"
        f"  delta: 1e-6\n  fits: 3\n  public: [country]\n  ledger: {ledger}\n"
    )
    command = [sys.executable, "-m", "dbsynth", "fit", "--spec", str(path), "--quiet", "-o"]
    nights = [
        subprocess.run([*command, str(tmp_path / f"{n}.dbsynth")], capture_output=True, text=True,
                       check=False) for n in range(4)
    ]  # fmt: skip
    assert [night.returncode == 0 for night in nights] == [True, True, True, False], nights
    assert "3 fits have spent epsilon 30 of 30" in " ".join(nights[3].stderr.split())
    assert sorted(p.name for p in tmp_path.glob("*.dbsynth")) == [f"{n}.dbsynth" for n in range(3)]
    lines = ledger.read_text().splitlines()
    ledger.write_text("\n".join(lines[:-1]) + "\n")
    cut = subprocess.run([*command, str(tmp_path / "4.dbsynth")], capture_output=True, text=True,
                         check=False)  # fmt: skip
    assert cut.returncode != 0
    assert "was cut off" in " ".join(cut.stderr.split())


def test_a_seeded_fit_says_that_it_is_not_private_and_repeats_itself(shop, tmp_path):
    spec = spec_of(tmp_path, seed=5)
    paths = [tmp_path / "a.dbsynth", tmp_path / "b.dbsynth"]
    models = [dbsynth.fit(shop, path, spec=spec)[0] for path in paths]
    assert same_members(*paths)
    assert not models[0].privacy["private"]
    assert models[0].notes[0].startswith("NOT PRIVATE")
    assert not (tmp_path / "ledger.jsonl").exists()  # there is nothing to add up
    report = dbsynth.load(paths[0], f"sqlite:///{tmp_path / 'clone.db'}", source=None)
    assert report.notes[0].startswith("NOT PRIVATE")
    assert run(["load", str(paths[0]), "--to", f"sqlite:///{tmp_path / 'again.db'}"]) == 0


def test_a_model_survives_its_file(shop, tmp_path):
    model, _ = dbsynth.fit(shop, tmp_path / "m.dbsynth", spec=spec_of(tmp_path))
    again = load_model(tmp_path / "m.dbsynth")
    assert again.privacy == model.privacy
    assert again.engine == "dp"
    key = dict(key=3)
    mine, theirs = (m.engines["customer"].sample(500, {}, **key) for m in (model, again))
    assert mine.keys() == theirs.keys()
    assert all((mine[v] == theirs[v]).all() for v in mine)


@pytest.mark.parametrize(
    ("privacy", "message"),
    [
        ({"public": []}, "`country` is neither owned by `customer` nor declared"),
        ({"public": ["customer", "country"]}, "`customer` is the unit, and cannot be public"),
        ({"invented": {"country": 3}}, "`country` is classified twice"),
        ({"owner": {"line": ["number"]}}, "`line` has no key number to an owned table"),
        ({"unit": "custmer"}, "table `custmer` does not exist .did you mean `customer`"),
        ({"epsilon": 0}, "`epsilon` of `privacy` is no number above 0"),
        ({"caps": {"line": "many"}}, "`privacy.caps` of `line` is neither a number"),
        ({"bounds": {"customer.income": [9, 1]}}, "`privacy.bounds` of `customer.income`"),
        ({"budget": 3}, "unknown entry `budget` in `privacy`"),
    ],
)
def test_what_is_not_said_or_wrong_is_refused(worlds, tmp_path, privacy, message):
    with pytest.raises(SpecError, match=message):
        dbsynth.fit(worlds[0], tmp_path / "m.dbsynth", spec=spec_of(tmp_path, **privacy))
    assert not (tmp_path / "ledger.jsonl").exists()


def test_all_that_is_unclear_is_said_at_once(tmp_path):
    url = f"sqlite:///{tmp_path / 'x.db'}"
    connection = sqlite3.connect(tmp_path / "x.db")
    connection.executescript(
        "create table person(id integer primary key);"
        "create table shelf(id integer primary key);"
        "create table account(id integer primary key, person integer references person);"
        "create table transfer(id integer primary key, payer integer references account,"
        " payee integer references account, shelf integer references shelf);"
    )
    connection.close()
    with pytest.raises(SpecError) as caught:
        dbsynth.fit(url, tmp_path / "m", spec=spec_of(tmp_path, unit="person", public=[]))
    said = caught.value.message
    assert "`shelf` is neither owned" in said
    assert (
        "`transfer` is owned in several ways (`payer` to `account`, `payee` to `account`)" in said
    )


def test_a_budget_that_cannot_work_is_refused_with_the_arithmetic(worlds, tmp_path):
    with pytest.raises(EngineError, match=r"cannot work: .*noise of .* / sqrt\(2 x") as caught:
        dbsynth.fit(worlds[0], tmp_path / "m.dbsynth", spec=spec_of(tmp_path, epsilon=0.01))
    assert "about epsilon" in caught.value.hint


def test_steering_would_look_at_rows_and_is_refused(shop, tmp_path):
    spec = spec_of(tmp_path)
    steered = replace(spec, tables={"customer": dbsynth.TableSpec(where="tier = 'gold'")})
    with pytest.raises(SpecError, match="cannot steer: `where` of table `customer`"):
        dbsynth.fit(shop, tmp_path / "m.dbsynth", spec=steered)


def test_plan_tells_the_error_of_every_marginal_and_spends_nothing(shop, tmp_path):
    found = dbsynth.foresee(shop, spec=spec_of(tmp_path))
    assert found.refused is None
    assert found.spent is None
    assert not (tmp_path / "ledger.jsonl").exists()
    told = {(m.table, m.name): m for m in found.marginals}
    tier = told["customer", "column:tier"]
    model, _ = dbsynth.fit(shop, tmp_path / "m.dbsynth", spec=spec_of(tmp_path))
    paid = {question["of"]: question for question in model.privacy["questions"]}
    # Prices follow from sizes, exact ones in the plan and noisy ones, by a few in 4,000, in the fit.
    assert tier.noise == pytest.approx(paid["customer: column:tier"]["noise"], rel=0.1)
    assert tier.error == pytest.approx(0.798 * tier.noise * tier.cells / 4000, rel=0.01)
    # The error falls with the root of rho, so the needed budget lies on the other side of .1.
    assert all((m.error > 0.1) == (m.epsilon > found.epsilon) for m in found.marginals)


def test_plan_refuses_what_cannot_work_with_the_epsilon_that_would(worlds, tmp_path):
    found = dbsynth.foresee(worlds[0], spec=spec_of(tmp_path, epsilon=0.05))
    message, hint = found.refused
    assert "epsilon 0.05 for 1 fit cannot work" in message
    needed = float(hint.split("epsilon ")[1].split(" ")[0])
    better = dbsynth.foresee(worlds[0], spec=spec_of(tmp_path, epsilon=1.1 * needed))
    assert better.refused is None


def test_a_model_tells_what_was_paid_for(shop, tmp_path):
    path = tmp_path / "m.dbsynth"
    dbsynth.fit(shop, path, spec=spec_of(tmp_path))
    told = dbsynth.inspect(path).privacy
    assert (told["unit"], told["epsilon"], told["delta"]) == ("customer", 3, 1e-6)
    assert told["cuts"]["purchase"]["chosen"]
    assert sum(q["rho"] for q in told["questions"]) == pytest.approx(told["spent"]["rho"])
    assert told["ledger"]["entry"] == 1
    text = CliRunner().invoke(inspect, [str(path)], help_option_names=["-h", "--help"]).output
    for part in ("epsilon 3, delta 1e-06", "ledger ledger.jsonl: entry 1", "privately",
                 "range of customer.income"):  # fmt: skip
        assert part in text
    assert "without a formal privacy guarantee" not in text


def test_without_opendp_one_line_says_what_to_install(shop, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    with pytest.raises(MissingExtra, match="OpenDP, which is not installed") as caught:
        dbsynth.fit(shop, tmp_path / "m.dbsynth", spec=spec_of(tmp_path))
    assert caught.value.hint == "run: pip install 'dbsynth[dp]'"
    assert not (tmp_path / "ledger.jsonl").exists()


@pytest.mark.parametrize(("epsilon", "most"), [(10, 40), (5000, 0)])
def test_a_table_that_nobody_seems_to_own_has_the_rows_that_noise_can_hide(tmp_path, epsilon, most):
    """At epsilon 10 the count of owners has noise of 4: what is hidden is less than ten times that
    (and some rows, unless the noise happens to be low); at 5000 it has none, and nothing is hidden.
    """
    url = build(tmp_path / "shop.db", 2000, extra=("delete from line",))
    target = f"sqlite:///{tmp_path / 'clone.db'}"
    report = dbsynth.clone(url, target, spec=spec_of(tmp_path, epsilon=epsilon))
    assert report.ok
    assert rows(target, "select count(*) from line")[0][0] <= most
    assert any(note.startswith("line: so few customers own") for note in report.notes)


def histories(path, days):
    """2,000 clients since some day of three years, and what they pay until the end of them."""
    draw, connection = np.random.default_rng(3), sqlite3.connect(path)
    connection.executescript(
        "create table client(id integer primary key, since date not null);"
        "create table dues(id integer primary key, client integer not null references client,"
        " paid date not null);"
    )
    first, number = dt.date(2020, 1, 1), 0
    for i in range(2000):
        day = int(draw.integers(1000))
        connection.execute("insert into client values (?, ?)", (i, str(first + dt.timedelta(day))))
        while (day := day + days(draw)) < 1095:
            number += 1
            paid = str(first + dt.timedelta(day))
            connection.execute("insert into dues values (?, ?, ?)", (number, i, paid))
    connection.commit()
    return f"sqlite:///{path}"


AFTER = (
    "select julianday(b.paid) - julianday(a.paid) from dues a join dues b on b.id = a.id + 1"
    " and b.client = a.client"
)


@pytest.mark.parametrize("every", ["month", "now and then"])
def test_times_of_siblings_follow_each_other_and_do_not_pile_up_at_the_end(tmp_path, every):
    """Of 2 x 2,000 families the last thirty days have a share known to .01 or so; when gaps were
    drawn without a view of the end, they had several times what they have in the source."""
    days = {
        "month": lambda draw: int(draw.integers(30, 32)),
        "now and then": lambda draw: 1 + int(draw.exponential(70)),
    }[every]
    source, target = histories(tmp_path / "a.db", days), f"sqlite:///{tmp_path / 'b.db'}"
    spec = spec_of(tmp_path, unit="client", public=[], epsilon=30)
    assert dbsynth.clone(source, target, spec=spec).ok
    last = "select avg(paid > '2022-12-01') from dues"
    assert rows(target, last)[0][0] == pytest.approx(rows(source, last)[0][0], abs=0.02)
    gaps = np.array(rows(target, AFTER)).ravel()
    assert gaps.min() >= 0
    if every == "month":
        assert np.mean((gaps >= 28) & (gaps <= 33)) > 0.9


def test_a_table_with_few_rows_is_like_another_with_columns_of_that_name(tmp_path):
    """Eight of 2,000 people lead something; that is less than noise hides at epsilon 3."""
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.executescript(
        "create table person(id integer primary key);"
        "create table works(id integer primary key, person integer not null references person,"
        " begun date not null);"
        "create table leads(id integer primary key, person integer not null references person,"
        " begun date not null);"
    )
    for i in range(2000):
        day = str(dt.date(2001, 1, 1) + dt.timedelta(i))
        connection.execute("insert into person values (?)", (i,))
        connection.execute("insert into works values (?, ?, ?)", (i, i, day))
    connection.executemany(
        "insert into leads values (?, ?, '2004-01-01')", [(i, 9 * i) for i in range(8)]
    )
    connection.commit()
    spec, many = spec_of(tmp_path, unit="person", public=[], seed=1), []
    target = f"sqlite:///{tmp_path / 'b.db'}"
    assert dbsynth.clone(f"sqlite:///{tmp_path / 'a.db'}", target, spec=spec).ok
    many = [day for (day,) in rows(target, "select begun from leads")]
    assert 0 < len(many) < 100
    assert all("2000" <= day < "2008" for day in many)


def test_a_second_key_to_the_owner_is_followed_where_noisy_counts_say_so(tmp_path):
    """A payment belongs to a rental, and names the rental's customer, all but one in fifty."""
    path = tmp_path / "diamond.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        "create table customer(id integer primary key, kind text not null);"
        "create table rental(id integer primary key, customer integer not null references customer);"
        "create table payment(id integer primary key, rental integer not null references rental,"
        " customer integer not null references customer);"
    )
    connection.executemany(
        "insert into customer values (?, ?)", [(i, "ab"[i % 2]) for i in range(1000)]
    )
    connection.executemany("insert into rental values (?, ?)", [(i, i % 1000) for i in range(3000)])
    connection.executemany(
        "insert into payment values (?, ?, ?)",
        [(i, i, (i + (i % 50 == 0)) % 1000) for i in range(3000)],
    )
    connection.commit()
    spec = spec_of(tmp_path, public=[], owner={"payment": ["rental"]}, epsilon=10)
    target = f"sqlite:///{tmp_path / 'clone.db'}"
    report = dbsynth.clone(f"sqlite:///{path}", target, spec=spec)
    assert any("followed along them" in note for note in report.notes)
    agree = "select min(p.customer = r.customer) from payment p join rental r on r.id = p.rental"
    assert rows(target, agree) == [(1,)]


@pytest.mark.parametrize(
    ("check", "form"),
    [
        ("(card ~ '^[0-9]{4}$'::text)", "[0-9]{4}"),
        (r"card ~ '^SKU-\d{2,3}[A-Z]?$'", r"SKU-\d{2,3}[A-Z]?"),
        ("card ~ '^[a-z._-]+@[a-z]+$'", "[a-z._-]+@[a-z]+"),
        ("card GLOB '[A-Z][A-Z]-[0-9]?'", "[A-Z]{2}-[0-9]."), ("card glob 'SKU.*'", r"SKU\..*"),
        ("card = lower(card)", "[a-z]+"), ("((card)::text = upper((card)::text))", "[A-Z]+"),
        ("card ~ '^(a|b)$'", None), ("card ~ '^[^x]+$'", None), ("card ~ '['", None),
        ("length(card) > 2", None),
    ],
)  # fmt: skip
def test_texts_are_made_from_what_a_check_asks_for(check, form):
    column = Column("card", Kind.TEXT, "text", length=12)
    table = Table("t", "t", None, (column,), checks=(Check("c", check, ("card",)),))
    found = examples(table, column)
    assert bool(found) == (form is not None)
    assert all(re.fullmatch(form, text) and len(text) <= 12 for text in found)


@pytest.mark.parametrize(
    ("pattern", "number"),
    [("^[0-9]{4}$", 10_000), (r"^A\d{1,2}$", 110), ("^[ab]?x$", 3), ("^(a|b)$", np.inf)],
)
def test_how_many_texts_a_form_allows(pattern, number):
    column = Column("card", Kind.TEXT, "text")
    table = Table("t", "t", None, (column,), checks=(Check("c", f"card ~ '{pattern}'", ("card",)),))
    assert possible(table, column) == number


def test_a_form_that_allows_few_values_is_said_to_repeat_real_ones(tmp_path):
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.executescript(
        "create table card(id integer primary key, last text not null"
        " check (last glob '[0-9][0-9][0-9]'), code text not null check (code glob"
        " '[A-Z][A-Z][A-Z][A-Z][A-Z][A-Z][A-Z]'), tier integer not null);"
    )
    connection.executemany(
        "insert into card values (?, ?, ?, ?)",
        [(i, f"{i % 1000:03}", f"ABCD{chr(65 + i // 100)}XY", i % 3) for i in range(2000)],
    )
    connection.commit()
    spec = spec_of(tmp_path, unit="card", public=[])
    model, _ = dbsynth.fit(f"sqlite:///{tmp_path / 'a.db'}", tmp_path / "m.dbsynth", spec=spec)
    said = [note for note in model.notes if "somebody's by chance" in note]
    assert len(said) == 1
    assert said[0].startswith("card.last: its form allows 1,000 values")


@pytest.mark.parametrize(
    ("noisy", "rows"),
    [
        ([1887, 347, 20, -31, 12, 8, -40, 25, 3, -19, 5, 9, -2], 347),
        ([2234, 60, 20, -31, 12, 8, -40, 25, 3, -19, 5, 9, -2], 0),
    ],
    ids=["one bucket stands out of the noise", "all of it is noise"],
)
def test_rows_are_seen_where_one_number_of_children_stands_out(noisy, rows):
    # With noise of 29 a bucket counts from 116 on, the sum of 12 from 402 on.
    assert rows_within(np.array(noisy), 4, 29.0) == rows


@pytest.mark.parametrize(
    ("column", "unit", "largest"),
    [
        (Column("n", Kind.INTEGER, "smallint", bits=16), 1.0, 2**15 - 1),
        (Column("n", Kind.INTEGER, "integer", bits=32), 1.0, 2**31 - 1),
        (Column("n", Kind.DECIMAL, "numeric(5,2)", precision=5, scale=2), 0.01, 999.99),
        (Column("n", Kind.INTEGER, "numeric(5,0)", precision=5, bits=64), 1.0, 99_999),
    ],
    ids=["16 bits", "32 bits", "5 digits", "5 whole digits"],
)
def test_noise_makes_no_number_that_a_type_cannot_hold(column, unit, largest) -> None:
    coarse = coarse_edges(column, unit)
    noisy = np.zeros(len(coarse) - 1, np.int64)
    noisy[[0, -1]] = 10_000  # as if noise stood out at both ends
    codec = codec_of_edges(column, refined(coarse, noisy, 1.0, whole=True), unit)
    codes = np.arange(4, codec.alphabet.size).repeat(50).astype(np.uint16)
    drawn = codec.decode(codes, np.arange(len(codes)), 3).cast("float64").to_numpy()
    assert -largest <= drawn.min() < -0.9 * largest
    assert 0.9 * largest < drawn.max() <= largest
