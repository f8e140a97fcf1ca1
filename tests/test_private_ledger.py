"""The accountant, the ledger and the mechanisms of the engine `dp`."""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dp_accounting import dp_event, pld, rdp

from dbsynth.errors import EngineError, ModelError
from dbsynth.private.accountant import Loss, delta_of, epsilon_of, rho_of, total
from dbsynth.private.ledger import Terms, charge, digests, head_of, read_ledger
from dbsynth.private.mechanisms import Seeded, noise_of, scale_of, threshold_of
from dbsynth.private.purse import Purse

TERMS = Terms(digests(frozenset({"server:1"})), "customer", 1.0, 1e-6)


@pytest.mark.parametrize("rho", [1e-4, 0.0175, 0.147, 0.91, 5.0])
@pytest.mark.parametrize("delta", [1e-9, 1e-6, 1e-3])
def test_epsilon_lies_between_that_of_two_accountants_of_google(rho, delta):
    """Theirs for zCDP tries a grid of orders, so it is never below ours; that for the one Gaussian
    mechanism with this rho is nearly exact, so it is never above."""
    ours = epsilon_of(Loss(rho), delta)
    renyi = rdp.RdpAccountant()
    renyi.compose(dp_event.ZCDpEvent(rho))
    gaussian = pld.PLDAccountant()
    gaussian.compose(dp_event.GaussianDpEvent(1 / math.sqrt(2 * rho)))
    assert gaussian.get_epsilon(delta) <= ours <= renyi.get_epsilon(delta) * (1 + 1e-9)


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 3.0, 10.0])
def test_rho_is_the_inverse_of_epsilon_and_thirds_add_up(epsilon):
    rho = rho_of(epsilon, 1e-6)
    assert epsilon_of(Loss(rho), 1e-6) == pytest.approx(epsilon, rel=1e-6)
    assert delta_of(rho, epsilon) <= 1e-6
    thirds = total([Loss(rho / 3)] * 3)
    assert epsilon_of(thirds, 1e-6) == pytest.approx(epsilon, rel=1e-6)
    assert epsilon_of(Loss(rho, 1e-6), 1e-6) == math.inf  # no delta is left to convert with


def test_three_refits_fit_into_a_budget_and_the_fourth_is_refused(tmp_path):
    path, third = tmp_path / "ledger.jsonl", Loss(rho_of(1.0, 1e-6) / 3)
    heads = [charge(path, TERMS, third).head for _ in range(3)]
    with pytest.raises(EngineError, match=r"3 fits have spent epsilon 1 of 1.*it would be 1\.1"):
        charge(path, TERMS, third)
    found = read_ledger(path)
    assert [entry.head for entry in found.entries] == heads
    assert found.epsilon == pytest.approx(1.0, rel=1e-6)


def test_a_smaller_budget_in_the_spec_counts_and_a_larger_one_is_refused(tmp_path):
    path = tmp_path / "ledger.jsonl"
    charge(path, TERMS, Loss(rho_of(0.5, 1e-6)))
    with pytest.raises(EngineError, match="does not suffice"):
        charge(path, replace(TERMS, epsilon=0.5), Loss(1e-4))
    with pytest.raises(EngineError, match="has a budget of epsilon 1 "):
        charge(path, replace(TERMS, epsilon=2.0), Loss(1e-4))


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        (replace(TERMS, source=digests(frozenset({"server:2"}))), "another source"),
        (replace(TERMS, unit="account"), "protects rows of `customer`, not of `account`"),
    ],
)
def test_a_ledger_is_about_one_source_and_one_unit(tmp_path, terms, message):
    path = tmp_path / "ledger.jsonl"
    charge(path, TERMS, Loss(1e-3))
    with pytest.raises(EngineError, match=message):
        charge(path, terms, Loss(1e-3))
    assert len(read_ledger(path).entries) == 1


def _smaller(lines):
    value = json.loads(lines[1])
    return [lines[0], json.dumps({**value, "rho": value["rho"] / 100}, sort_keys=True), *lines[2:]]


@pytest.mark.parametrize(
    "tamper",
    [_smaller, lambda lines: [lines[0], *lines[2:]], lambda lines: lines[1:], lambda _: ["{}"],
     lambda lines: [*lines, "garbage"]],
)  # fmt: skip
def test_a_ledger_that_was_changed_is_refused(tmp_path, tamper):
    path = tmp_path / "ledger.jsonl"
    for _ in range(3):
        charge(path, TERMS, Loss(1e-3))
    path.write_text("\n".join(tamper(path.read_text().splitlines())) + "\n")
    for use in (lambda: charge(path, TERMS, Loss(1e-3)), lambda: read_ledger(path)):
        with pytest.raises(ModelError, match="was changed"):
            use()


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
def test_a_ledger_whose_last_lines_are_gone_is_refused(tmp_path, kept):
    path = tmp_path / "ledger.jsonl"
    for _ in range(3):
        charge(path, TERMS, Loss(1e-3))
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:kept]))
    if not kept:
        path.unlink()
    there = max(kept - 1, 0)
    for use in (lambda: read_ledger(path), lambda: charge(path, TERMS, Loss(1e-3))):
        with pytest.raises(ModelError, match=rf"cut off: it holds {there} fits?, .* were 3"):
            use()


def test_the_head_of_a_ledger_must_be_there_and_its_own(tmp_path):
    path, other = tmp_path / "ledger.jsonl", tmp_path / "other.jsonl"
    for _ in range(2):
        charge(path, TERMS, Loss(1e-3))
    charge(other, TERMS, Loss(1e-4))
    head = head_of(path).read_text()
    for text, message in ((head_of(other).read_text(), "of another one"), ("{", "is damaged")):
        head_of(path).write_text(text)
        with pytest.raises(ModelError, match=message):
            charge(path, TERMS, Loss(1e-3))
    head_of(path).unlink()
    with pytest.raises(ModelError, match="is gone"):
        charge(path, TERMS, Loss(1e-3))
    head_of(path).write_text(head)
    assert charge(path, TERMS, Loss(1e-3)).number == 3


def test_a_run_that_breaks_off_before_the_head_is_written_has_spent_its_share(tmp_path):
    path = tmp_path / "ledger.jsonl"
    charge(path, TERMS, Loss(1e-3))
    head = head_of(path).read_text()
    charge(path, TERMS, Loss(1e-3))
    head_of(path).write_text(head)
    assert len(read_ledger(path).entries) == 2
    assert charge(path, TERMS, Loss(1e-3)).number == 3


def _charge_often(path: str) -> int:
    done = 0
    for _ in range(20):
        try:
            charge(Path(path), TERMS, Loss(rho_of(1.0, 1e-6) / 25))
        except EngineError:
            continue
        done += 1
    return done


def test_runs_that_charge_at_once_never_spend_more_than_there_is(tmp_path):
    path = tmp_path / "ledger.jsonl"
    with ThreadPoolExecutor(4) as pool:  # each opens the file for itself, as a process would
        done = list(pool.map(_charge_often, [str(path)] * 4))
    assert sum(done) == 25 == len(read_ledger(path).entries)


def test_a_purse_cannot_be_overdrawn():
    purse = Purse(Loss(0.1, 1e-7), Seeded(np.random.default_rng(0)))
    purse.counts("sizes", np.zeros(3, np.int64), 2, 0.06)
    with pytest.raises(EngineError, match="measuring more sizes would overdraw"):
        purse.counts("more sizes", np.zeros(3, np.int64), 2, 0.06)
    with pytest.raises(EngineError, match="overdraw"):
        purse.shared("words", {"a": 9}, 1, Loss(0.01, 1e-6))
    assert purse.loss == Loss(0.06)


@pytest.mark.parametrize("seed", [None, 1])
def test_noise_has_the_size_that_it_is_said_to_have(seed):
    """Of 4,000 draws: the mean within 5 standard errors, the variance too (its own standard error
    is sqrt(2 / n) of it)."""
    noise, scale = noise_of(seed), scale_of(7, 0.02)
    found = noise.counts(np.full(4000, 1000), 7, 0.02) - 1000
    assert abs(found.mean()) < 5 * scale / math.sqrt(4000)
    assert abs(found.var() / scale**2 - 1) < 5 * math.sqrt(2 / 4000)


@pytest.mark.parametrize("seed", [None, 1])
def test_choices_and_vocabularies_find_what_is_clear(seed):
    noise = noise_of(seed)
    assert noise.choose([0, 10, 100_000], 2, 0.1) == 2
    found = noise.shared({"often": 100_000, "once": 1, "twice": 2}, 3, 0.1, 1e-6)
    assert found == {"often"}
    assert noise.shared({}, 3, 0.1, 1e-6) == frozenset()


def test_a_value_that_one_entity_holds_is_shown_with_probability_delta():
    """With a delta that can be seen: of 1,500 fits no more than 1,500 delta show it, but for five
    standard errors of a binomial."""
    noise, delta, rho = noise_of(None), 0.05, 0.005
    shown = sum(noise.shared({"once": 1}, 1, rho, delta) == {"once"} for _ in range(1500))
    assert 0 < shown < 1500 * delta + 5 * math.sqrt(1500 * delta)
    assert threshold_of(1.0, 1, delta) > 2
