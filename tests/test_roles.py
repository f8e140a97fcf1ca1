"""What columns hold: misleading names and values, numbers with check digits, the labelled set."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pytest

from bench.classify import score, verdicts
from bench.columns import PARTS, labelled
from bench.columns.values import values_of
from dbsynth.classify import Decision, Exposure, Role, classify_table, propose_strategy
from dbsynth.classify.concepts import CONCEPTS
from dbsynth.classify.domains import agreed, proposal_of
from dbsynth.classify.leaves import leaf_table
from dbsynth.classify.names import hint_of, vocabulary
from dbsynth.classify.numbers import known_number
from dbsynth.identifiers import PROVIDERS
from dbsynth.schema import Column, Kind, Table

ROWS = 200
DIRECT, QUASI, NONE = Exposure.DIRECT, Exposure.QUASI, Exposure.NONE
ARROW = {
    Kind.INTEGER: pa.int64(), Kind.TEXT: pa.string(), Kind.DATE: pa.date32(), Kind.FLOAT: pa.float64(),
}  # fmt: skip


def decide(table: str, **columns: Sequence[object]) -> dict[str, Decision]:
    described, data = [], {}
    for name, values in columns.items():
        first = next((v for v in values if v is not None), "")
        kind = {int: Kind.INTEGER, float: Kind.FLOAT, str: Kind.TEXT}.get(type(first), Kind.DATE)
        described.append(Column(name, kind, str(kind)))
        data[name] = pa.array(list(values), ARROW[kind])
    found = Table(table, table, None, tuple(described))
    sample = pa.table(data)
    return classify_table(found, sample, sample.num_rows)


def drawn(generator: str) -> list[object]:
    return values_of(generator, ROWS, generator)


@pytest.mark.parametrize(
    ("column", "generator", "concept", "exposure"),
    [
        ("notes2", "email", "email", DIRECT),
        ("description", "phone.us", "phone", DIRECT),
        ("phone", "phone.ext", "phone", DIRECT),
        ("email", "null", "email", DIRECT),
        ("account", "iban.spaced", "iban", DIRECT),
        ("number", "card.int", "card", DIRECT),
        ("x", "pesel.int", "national_id", DIRECT),
        ("x", "cpf", "national_id", DIRECT),
        ("x", "nir", "national_id", DIRECT),
        ("x", "imei", "device_id", DIRECT),
        ("x", "jwt", "secret", DIRECT),
        ("x", "pem", "secret", DIRECT),
        ("x", "btc", "crypto_address", DIRECT),
        ("label", "given.en", "first_name", DIRECT),
        ("owner", "comma.de", "full_name", DIRECT),
        ("supplier", "company.fr", "company", DIRECT),
        ("geb_dat", "birth", "birth_date", QUASI),
        ("nationality", "nation.es*6", "nationality", NONE),
        ("x", "luhnless16", "", NONE),
        ("ean", "ean13", "", NONE),
        ("vin", "product.fr", "", NONE),
        ("pan", "product.en", "", NONE),
        ("address", "md5", "uuid", NONE),
        ("handle", "slug", "", NONE),
        ("phone_type", "segment*4", "", NONE),
        ("state", "status*5", "", NONE),
        ("cap", "count", "", NONE),
    ],
)
def test_names_and_values_may_mislead(column, generator, concept, exposure) -> None:
    found = decide("things", **{column: drawn(generator)})[column]
    assert (found.concept, found.exposure) == (concept, exposure)
    assert found.provider is None or found.provider in PROVIDERS


def test_a_name_is_what_its_table_and_neighbours_make_it() -> None:
    products = decide("articles", name=drawn("product.en"), price=drawn("weight"))
    colours = decide("shades", name=drawn("colour.en*9"))
    family = decide("personnes", prenom=drawn("given.fr"), nom=drawn("family.fr"))
    given = decide("t9", apellidos=drawn("family2.es"), nombre=drawn("given.es"))
    assert products["name"].exposure is colours["name"].exposure is NONE
    assert (family["nom"].concept, given["nombre"].concept) == ("last_name", "first_name")
    assert decide("email_addresses", address=[None])["address"].concept == "email"


def test_towns_tell_somebody_only_in_a_table_about_persons() -> None:
    alone = decide("places", city=drawn("city.de"))
    with_persons = decide("x", city=drawn("city.de"), email=drawn("email"))
    assert (alone["city"].exposure, with_persons["city"].exposure) == (NONE, QUASI)
    assert "quasi-identifier" in with_persons["city"].reason


def test_whole_numbers_of_states_get_other_numbers() -> None:
    for table, values in (("a", drawn("bsn.int")), ("b", drawn("bsn.int")[:5] * 40)):
        found = decide(table, code_x=values)["code_x"]
        assert found.role in (Role.IDENTIFIER, Role.RENAMED)
        assert found.provider == "digits"


def test_numbers_that_pass_by_chance_are_no_numbers_of_states() -> None:
    # A check digit passes in at most one case of ten, and 90 % have to: for ten numbers that is a
    # chance below 1e-8 for each kind of number, of which there are about fifty.
    rng = random.Random(7)
    for length in range(7, 19):
        for _ in range(20):
            texts = [str(rng.randrange(10 ** (length - 1), 10**length)) for _ in range(10)]
            assert known_number(texts, "", whole=False) == ""
            assert known_number(texts, "", whole=True) == ""


def test_the_words_are_plain_and_name_known_concepts() -> None:
    for phrase, hint in vocabulary().phrases.items():
        assert hint.concept in CONCEPTS, phrase
        assert all(word.isascii() and word == word.lower() for word in phrase), phrase
    assert {c.provider for c in CONCEPTS.values()} <= {*PROVIDERS, ""}


@pytest.mark.parametrize(
    ("name", "concept"),
    [("telefonnummerPrivat", "phone"), ("kundennachname", "last_name"), ("GeburtsDatum", "birth_date"),
     ("homephone", "phone"), ("EMAIL_ADDR", "email"), ("post-code", "postcode"),
     ("numero_de_telefono", "phone"), ("apt_feature", ""), ("passage", ""), ("hostname", ""),
     ("directed_by", "full_name"), ("codiceFiscale", "national_id"), ("huisnr", "house_number")],
)  # fmt: skip
def test_names_are_taken_apart(name, concept) -> None:
    hint = hint_of(name, "things")
    assert hint.concept == concept or (concept == "" and not hint.sure)


@pytest.mark.parametrize("part", PARTS)
def test_the_labelled_columns_are_found(part) -> None:
    found = list(verdicts(part))
    direct, quasi = score(found, "direct"), score(found, "quasi")
    assert direct.columns >= 170
    assert direct.recall >= 0.98
    assert direct.precision >= 0.95
    assert direct.kind >= 0.95
    assert quasi.recall >= 0.9


def test_the_labelled_set_is_broad() -> None:
    entries = [entry for part in PARTS for entry in labelled(part)]
    labels = [label for entry in entries for label in entry.labels.values()]
    assert len(labels) >= 800
    assert 3 * sum(not label.level for label in labels) >= len(labels)
    assert len({entry.language for entry in entries}) == 8
    assert len({label.kind for label in labels}) > 30


def test_checks_of_numbers_are_loaded_when_they_are_needed() -> None:
    code = (
        "import sys, dbsynth, dbsynth.classify as c;"
        "sys.exit(bool({'stdnum', 'phonenumbers'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_wide_table_is_classified_in_seconds() -> None:
    names = ["email", "city.en", "sentence.en", "code", "count", "phone.us", "full.en", "amount"]
    values = {name: drawn(name) for name in names}
    values["amount"] = [float(v) for v in values["amount"]]
    start = time.process_time()
    decide("wide", **{f"c{i}": values[names[i % len(names)]] for i in range(400)})
    assert time.process_time() - start < 8  # about 0.5 s on an idle machine


def test_the_same_values_get_the_same_role() -> None:
    firms = [f"Hagen & Weiss {i} GmbH" for i in range(40)]
    customers = Table("customers", "customers", None, (Column("company_name", Kind.TEXT, "text"),))
    orders = Table("orders", "orders", None, (Column("ship_name", Kind.TEXT, "text"),))
    samples = {
        customers: pa.table({"company_name": firms}),
        orders: pa.table({"ship_name": [firm.upper() for firm in firms[:12]] * 9}),
    }
    found = agreed(
        {t.name: proposal_of(t, s, classify_table(t, s, s.num_rows)) for t, s in samples.items()}
    )["orders"]["ship_name"]
    assert (found.role, found.provider, found.exposure) == (Role.RENAMED, "company", DIRECT)
    assert "customers.company_name" in found.reason


@pytest.mark.parametrize(
    ("columns", "strategy"),
    [
        ({"name": ["Spain", "France", "Poland"], "code": ["ES", "FR", "PL"]}, "copy"),
        ({"name": ["Spain", "France", "Poland"], "head": ["Ann Lee", "Bo Smith", "Cy Jones"]}, "synthesize"),
        ({"name": ["Spain", "France", "Poland"], "visits": [1, 2, 3]}, "synthesize"),
        ({"initials": ["AL", "BE", "CH"]}, "synthesize"),
    ],
)  # fmt: skip
def test_public_words_are_copied_even_where_little_refers_to_them(columns, strategy) -> None:
    described = tuple(
        Column(name, Kind.TEXT if isinstance(values[0], str) else Kind.INTEGER, "text", length=40)
        for name, values in columns.items()
    )
    described = tuple(replace(c, length=2) if c.name == "code" else c for c in described)
    table = Table("country", "country", None, described)
    decisions = classify_table(table, pa.table(columns), 3)
    assert propose_strategy(table, decisions, 3, 0).name == strategy


def test_leaves_of_documents_are_judged_by_the_keys_around_them() -> None:
    leaves = {
        f"$.customer.{key}:string": Column(key, Kind.TEXT, "text")
        for key in ("name", "first", "city")
    } | {"$.items[0].name:string": Column("name", Kind.TEXT, "text")}
    concepts = {}
    values = {"name": drawn("full.en"), "first": drawn("given.en"), "city": drawn("city.en")}
    for path, leaf in leaves.items():
        table = leaf_table("t.doc", "doc", path, leaves)
        sample = pa.table(
            {leaf.name: drawn("product.en") if "items" in path else values[leaf.name]}
        )
        concepts[path] = classify_table(table, sample, ROWS)[leaf.name]
    assert [(d.concept, d.exposure) for d in concepts.values()] == [
        ("full_name", DIRECT), ("first_name", DIRECT), ("city", QUASI), ("label", NONE),
    ]  # fmt: skip


def test_long_and_odd_values_take_no_long_time() -> None:
    long = ["<a>" * 40_000, "x@" * 50_000, "a.b/" * 30_000, "7 " * 60_000, "\x00\u202e" * 20_000]
    odd = [
        "",
        " ",
        "\n",
        "\x00",
        "%s",
        "'; DROP TABLE x; --",
        "=1+1",
        "\u202eevil",
        "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18",
        "\u0663\u0664\u0665",
    ]
    start = time.process_time()
    found = decide("things", payload=long * 8, email=odd * 4, ssn=odd * 4, name=odd * 4)
    assert found["payload"].role is not Role.CATEGORY
    assert all(d.role is not Role.CONSTANT for d in found.values())
    assert time.process_time() - start < 10  # about 2 s on an idle machine
