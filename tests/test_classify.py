"""Classification: what names and values say, roles, and which tables are copied."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from dbsynth.classify import Role, classify_table, k_threshold, propose_strategy
from dbsynth.classify.names import concept_of, tokens_of
from dbsynth.identifiers import PROVIDERS
from dbsynth.schema import Check, Column, ForeignKey, Kind, Table, UniqueKey

_ARROW = {
    Kind.INTEGER: pa.int64(), Kind.DECIMAL: pa.float64(), Kind.FLOAT: pa.float64(),
    Kind.TEXT: pa.string(), Kind.JSON: pa.string(), Kind.UUID: pa.string(),
    Kind.BYTES: pa.binary(), Kind.BOOLEAN: pa.bool_(), Kind.DATE: pa.date32(),
    Kind.OTHER: pa.string(), Kind.ARRAY: pa.string(), Kind.ENUM: pa.string(),
}  # fmt: skip


def _table(name: str, *columns: Column, **more) -> Table:
    return Table(name, name, None, columns, **more)


def _decide(name: str, values: Sequence[object], *, kind: Kind = Kind.TEXT, table: str = "things",
            sql_type: str = "text", **more):  # fmt: skip
    column = Column(name, kind, sql_type)
    sample = pa.table({name: pa.array(list(values), _ARROW[kind])})
    return classify_table(_table(table, column, **more), sample, len(values))[name]


@pytest.mark.parametrize(
    ("form", "drawn"),
    [("Nagan{}", True), ("New {}mark", True), ("{}", True), ("Ward {}-17", False)],
)
def test_regions_that_hardly_repeat_are_drawn_as_regions(form: str, drawn: bool) -> None:
    pairs = [f"{a}{b}" for a in "ABCDEFGH" for b in "KLMNOP"]
    found = _decide("province", [form.format(pair) for pair in pairs])
    assert (found.provider == "region") is drawn


def test_the_title_of_a_contact_is_a_job() -> None:
    jobs = [f"{a} {b}" for a in ("Sales", "Export", "Order") for b in ("Agent", "Manager", "Clerk")]
    assert _decide("contact_title", jobs, table="suppliers").provider == "job"
    assert _decide("title", jobs, table="films").provider != "job"
    assert _decide("contact_title", ["Mrs.", "Mr."] * 30).provider != "job"


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("custFirstName2", ("cust", "first", "name", "2")),
        ("EmailAddress", ("email", "address")),
        ("HTMLBody", ("html", "body")),
        ("straße_nr", ("strasse", "nr")),
        ("lastname", ("last", "name")),
    ],
)
def test_names_fall_into_words(name: str, tokens: tuple[str, ...]) -> None:
    assert tokens_of(name) == tokens


@pytest.mark.parametrize(
    ("name", "concept"),
    [
        ("first_name", "first_name"), ("FirstName", "first_name"), ("fname", "first_name"),
        ("Vorname", "first_name"), ("prenom", "first_name"), ("Prénom", "first_name"),
        ("imie", "first_name"), ("Imię", "first_name"), ("primeiro_nome", "first_name"),
        ("surname", "last_name"), ("LName", "last_name"), ("Nachname", "last_name"),
        ("nom_famille", "last_name"), ("apellidos", "last_name"), ("sobrenome", "last_name"),
        ("nazwisko", "last_name"), ("customer_name", "full_name"), ("contact_name", "full_name"),
        ("Kundenname", "full_name"), ("nombre_completo", "full_name"), ("author", "full_name"),
        ("email", "email"), ("e_mail", "email"), ("EmailAddress", "email"), ("courriel", "email"),
        ("correo_electronico", "email"), ("phone_number", "phone"), ("cell_mobile_phone", "phone"),
        ("Telefonnummer", "phone"), ("celular", "phone"), ("fax", "phone"),
        ("numer_telefonu", "phone"), ("username", "user_name"), ("login", "user_name"),
        ("nickname", "user_name"), ("street_address", "street_address"),
        ("Anschrift", "street_address"), ("direccion", "street_address"),
        ("endereço", "street_address"), ("ulica", "street_address"), ("address2", "street_extra"),
        ("zip_code", "postcode"), ("PLZ", "postcode"), ("code_postal", "postcode"),
        ("CEP", "postcode"),
        ("kod_pocztowy", "postcode"), ("city", "city"), ("Wohnort", "city"), ("ville", "city"),
        ("ciudad", "city"), ("cidade", "city"), ("miasto", "city"), ("birth_place", "city"),
        ("country", "country"), ("pais", "country"), ("kraj", "country"), ("province", "region"),
        ("Bundesland", "region"), ("company_name", "company"), ("firma", "company"),
        ("empresa", "company"), ("ssn", "national_id"), ("passport_no", "passport"),
        ("steuer_id", "national_id"), ("pesel", "national_id"), ("cpf", "national_id"),
        ("dni", "national_id"), ("iban", "iban"), ("kontonummer", "bank_account"),
        ("credit_card_number", "card"), ("password_hash", "secret"), ("api_key", "secret"),
        ("Passwort", "secret"), ("mot_de_passe", "secret"), ("contraseña", "secret"),
        ("senha", "secret"), ("haslo", "secret"), ("ip_address", "ip"), ("website", "url"),
        ("license_plate", "plate"), ("Kennzeichen", "plate"), ("latitude", "coordinates"),
        ("card_type", ""), ("email_verified", ""), ("address_id", ""), ("phone_type", ""),
        ("is_email", ""), ("account_balance", ""), ("address_count", ""), ("capacity", ""),
    ],
)  # fmt: skip
def test_names_tell_concepts(name: str, concept: str) -> None:
    assert concept_of(name, "things") == concept


@pytest.mark.parametrize(
    ("table", "concept"),
    [("customers", "full_name"), ("employees", "full_name"), ("singer", "full_name"),
     ("Patienten", "full_name"), ("usuarios", "full_name"), ("products", "label"),
     ("categories", "label"), ("tbl_authors", "full_name")],
)  # fmt: skip
def test_a_name_belongs_to_what_the_table_holds(table: str, concept: str) -> None:
    assert concept_of("name", table) == concept


_IBANS = ["DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606"] * 10
_CARDS = ["4111111111111111", "5500005555555559", "4012888888881881"] * 10


@pytest.mark.parametrize(
    ("values", "role", "provider"),
    [
        ([f"u{i}@corp.com" for i in range(50)], Role.IDENTIFIER, "email"),
        ([f"u{i % 3}@corp.com" for i in range(50)], Role.RENAMED, "email"),
        ([f"https://a.b/{i}" for i in range(50)], Role.IDENTIFIER, "url"),
        ([f"10.0.{i}.7" for i in range(50)], Role.IDENTIFIER, "ip"),
        ([f"fe80::{i:x}" for i in range(50)], Role.IDENTIFIER, "ip"),
        ([f"00:1b:44:11:3a:{i:02x}" for i in range(50)], Role.IDENTIFIER, "mac"),
        ([f"{i:032x}" for i in range(50)], Role.IDENTIFIER, "uuid"),
        ([f"{i:040x}" for i in range(50)], Role.IDENTIFIER, "hash"),
        (_IBANS, Role.RENAMED, "iban"),
        (_CARDS, Role.RENAMED, "card"),
        (["James Smith", "Mary Johnson", "Linda Brown", "Robert Davis"] * 9, Role.RENAMED,
         "full_name"),
        ([f"AB-{i:04}" for i in range(50)], Role.TEXT, "pattern"),
        ([f"it is the {i} of the long sentences that people write." for i in range(50)],
         Role.TEXT, "text"),
        ([f"Blue Widget {chr(65 + i)}" for i in range(26)], Role.TEXT, "label"),
        ([f"word{chr(97 + i)}" for i in range(6)], Role.TEXT, "text"),
        (["a", "b", "c"] * 20, Role.CATEGORY, None),
        (["same"] * 20, Role.CONSTANT, None),
        ([None] * 20, Role.CONSTANT, None),
        (["06:00:00", "09:00:00"] * 20, Role.CATEGORY, None),
    ],
    ids=lambda v: str(v)[:24],
)  # fmt: skip
def test_values_tell_the_role_where_names_do_not(values, role, provider) -> None:
    found = _decide("x", values)
    assert (found.role, found.provider) == (role, provider)


@pytest.mark.parametrize(
    ("values", "role", "form"),
    [
        ([f"2020-01-{i % 28 + 1:02}" for i in range(90)][:40], Role.TIME, "%Y-%m-%d"),
        ([f"{i % 28 + 1}.3.20{10 + i % 9}" for i in range(60)], Role.TIME, "%d.%m.%Y"),
        ([f"{i * 7.25:.2f}" for i in range(60)], Role.QUANTITY, "decimal:2"),
        ([str(i * 13) for i in range(60)], Role.QUANTITY, "integer"),
        ([f"{i:05}" for i in range(60)], Role.TEXT, ""),
    ],
)
def test_text_may_hold_dates_and_numbers(values, role, form) -> None:
    found = _decide("x", values)
    assert (found.role, found.form) == (role, form)


@pytest.mark.parametrize(
    ("name", "distinct", "role"),
    [("card_type", 4, Role.CATEGORY), ("license_type", 30, Role.CATEGORY),
     ("city_name", 60, Role.RENAMED), ("account_group", 60, Role.RENAMED),
     ("city", 20, Role.CATEGORY), ("status", 60, Role.CATEGORY), ("nickname", 3, Role.RENAMED)],
)  # fmt: skip
def test_identifying_names_hide_large_vocabularies(name: str, distinct: int, role: Role) -> None:
    values = [
        f"{'pqrst'[i % 5]}{'abcdefghijklm'[i % distinct // 5]}quu" for i in range(distinct)
    ] * 10
    assert _decide(name, values).role is role


@pytest.mark.parametrize(
    ("name", "values", "unique", "expected"),
    [
        ("order_no", range(100_000, 100_900), False, (Role.IDENTIFIER, "digits")),
        ("serial", range(100_000, 100_900), True, (Role.IDENTIFIER, "digits")),
        ("population", range(100_000, 100_900), False, (Role.QUANTITY, None)),
        ("account_balance", range(100_000, 100_900), False, (Role.QUANTITY, None)),
        ("num_orders", range(900), False, (Role.QUANTITY, None)),
        ("ssn", list(range(10**8, 10**8 + 90)) * 9, False, (Role.RENAMED, "digits")),
    ],
)
def test_numbers_that_identify_are_not_modelled(name, values, unique, expected) -> None:
    uniques = (UniqueKey((name,)),) if unique else ()
    found = _decide(name, list(values), kind=Kind.INTEGER, uniques=uniques)
    assert (found.role, found.provider) == expected


def test_structure_comes_first() -> None:
    columns = (
        Column("id", Kind.INTEGER, "integer"),
        Column("code", Kind.TEXT, "text"),
        Column("owner", Kind.INTEGER, "integer"),
        Column("total", Kind.INTEGER, "integer", generated=True),
        Column("mood", Kind.ENUM, "mood", choices=("sad", "ok")),
    )
    key = ForeignKey("t", ("owner",), "people", ("id",))
    table = _table("t", *columns, primary_key=("id", "code"), foreign_keys=(key,))
    sample = pa.table({"id": range(9), "code": [f"ALFK{c}" for c in "ABCDEFGHI"], "owner": range(9),
                       "total": range(9), "mood": ["sad"] * 9})  # fmt: skip
    found = classify_table(table, sample, 9)
    assert [(d.role, d.provider) for d in found.values()] == [
        (Role.KEY, None), (Role.KEY, "pattern"), (Role.REFERENCE, None), (Role.GENERATED, None),
        (Role.CATEGORY, None)]  # fmt: skip


def test_a_check_that_lists_values_makes_a_category() -> None:
    check = Check("c", "(size = ANY (ARRAY['S'::text, 'M'::text, 'L'::text]))", ("size",))
    found = _decide("size", ["S", "M"], checks=(check,))
    assert (found.role, found.decided_by) == (Role.CATEGORY, "schema")


@pytest.mark.parametrize("rows", [0, 1, 6])
def test_tiny_tables_show_no_value_of_their_own(rows: int) -> None:
    found = _decide("label", [f"Only {c}" for c in "abcdef"[:rows]])
    assert found.role is Role.TEXT
    assert found.provider in PROVIDERS


def test_rare_values_do_not_make_a_category() -> None:
    values = ["n/a"] * 500 + ["often here"] * 20 + [f"rare {i}" for i in range(200)]
    assert _decide("remark", values).role is not Role.CATEGORY


def test_reasons_hold_no_value() -> None:
    rng = np.random.default_rng(1)
    for values in (
        [f"Zq{i}" for i in range(50)],
        ["Zq"] * 50,
        list(rng.choice(["Zqa", "Zqb"], 50)),
    ):
        found = _decide("x", [str(v) for v in values])
        assert "Zq" not in json.dumps([found.reason, found.form])


@pytest.mark.parametrize(("rows", "k"), [(0, 2), (6, 2), (30, 3), (50, 5), (10**6, 5)])
def test_the_threshold_grows_to_five(rows: int, k: int) -> None:
    assert k_threshold(rows) == k


def _strategy(table: str, columns: dict[str, list], *, child_rows: int) -> str:
    described = tuple(
        Column(n, Kind.TEXT if isinstance(v[0], str) else Kind.INTEGER, "text", length=50)
        for n, v in columns.items()
    )
    made = _table(table, *described, primary_key=(described[0].name,))
    sample = pa.table(columns)
    rows = sample.num_rows
    return propose_strategy(made, classify_table(made, sample, rows), rows, child_rows).name


_WORDS = [f"Kind {c}" for c in "abcdefghijklmnopqrst"]


@pytest.mark.parametrize(
    ("table", "columns", "child_rows", "expected"),
    [
        ("genre", {"id": list(range(20)), "name": _WORDS}, 3_000, "copy"),
        ("genre", {"id": list(range(20)), "name": _WORDS}, 0, "synthesize"),
        ("genre", {"id": list(range(20)), "name": _WORDS}, 40, "synthesize"),
        ("customers", {"id": list(range(20)), "label": _WORDS}, 3_000, "synthesize"),
        ("stores", {"id": list(range(20)), "label": _WORDS}, 3_000, "synthesize"),
        ("shippers", {"id": list(range(20)), "phone": [f"555-{i:04}" for i in range(20)]}, 999,
         "synthesize"),
        ("levels", {"id": list(range(20)), "rank": list(range(20))}, 999, "synthesize"),
        ("alembic_version", {"version_num": ["0123456789ab"]}, 0, "copy"),
        ("Schema_Migrations", {"version": ["20200101000000"]}, 0, "copy"),
        ("_prisma_migrations", {"id": ["0123456789ab"]}, 0, "copy"),
    ],
)  # fmt: skip
def test_only_vocabularies_are_copied(table, columns, child_rows, expected) -> None:
    assert _strategy(table, columns, child_rows=child_rows) == expected
