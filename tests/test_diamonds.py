"""Two ways to one table that end in the same row in the source end so in the clone."""

from __future__ import annotations

import sqlite3

import pytest

import dbsynth
from dbsynth.errors import SpecError
from tests.zoo import load_exhibit

DISAGREEING = (
    "SELECT count(*) FROM payment JOIN rental ON rental.id = payment.rental_id"
    " WHERE payment.customer_id <> rental.customer_id"
)


def disagreeing(path):
    with sqlite3.connect(path) as connection:
        return connection.execute(DISAGREEING).fetchone()[0]


@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_a_diamond_closes_in_the_clone(tmp_path, scale):
    source, clone = tmp_path / "source.db", tmp_path / "clone.db"
    load_exhibit("diamond", f"sqlite:///{source}")
    assert disagreeing(source) == 0
    dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{clone}", spec=dbsynth.Spec(scale=scale))
    assert disagreeing(clone) == 0


def test_a_diamond_that_does_not_close_is_left_open(tmp_path):
    source, clone = tmp_path / "source.db", tmp_path / "clone.db"
    load_exhibit("diamond", f"sqlite:///{source}")
    with sqlite3.connect(source) as connection:
        connection.execute("UPDATE payment SET customer_id = (SELECT min(id) FROM customer)")
    dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{clone}")
    assert disagreeing(clone) > 0


def test_a_saved_model_keeps_its_diamonds(tmp_path):
    load_exhibit("diamond", f"sqlite:///{tmp_path / 'source.db'}")
    model, _ = dbsynth.fit(f"sqlite:///{tmp_path / 'source.db'}", tmp_path / "model.dbsynth")
    assert len(model.diamonds) == 1
    assert dbsynth.load_model(tmp_path / "model.dbsynth").diamonds == model.diamonds


SENTENCE = "payment(customer_id) leads where payment(rental_id) -> rental(customer_id) leads"


def test_a_diamond_is_a_rule_that_can_be_struck(tmp_path):
    source, clone = tmp_path / "source.db", tmp_path / "clone.db"
    load_exhibit("diamond", f"sqlite:///{source}")
    assert SENTENCE in {str(kept.rule) for kept in dbsynth.plan(f"sqlite:///{source}").rules}
    report = dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{clone}")
    assert [f.count for f in report.findings if f.subject == SENTENCE] == [0]
    struck = dbsynth.Spec(rules=())
    dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{clone}", spec=struck, replace=True)
    assert disagreeing(clone) > 0


@pytest.mark.parametrize(
    ("sentence", "problem"),
    [
        ("payment(customer_id) leads where rental(customer_id) leads", "must begin where"),
        ("payment(customer_id) leads where payment(rental_id) leads", "the path ends in `rental`"),
        ("payment(customer_id) leads where payment(customer_id) leads", "its own path"),
    ],
)
def test_a_path_that_cannot_close_is_refused(tmp_path, sentence, problem):
    load_exhibit("diamond", f"sqlite:///{tmp_path / 'source.db'}")
    spec = dbsynth.Spec(rules=(sentence,))
    with pytest.raises(SpecError, match=problem):
        dbsynth.plan(f"sqlite:///{tmp_path / 'source.db'}", spec=spec)
