"""One row is one person: names, sex, place, telephone agree, in every locale that Faker has."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import dbsynth
from dbsynth.errors import SpecError
from dbsynth.identifiers import PROVIDERS, AvoidList, draw_avoiding
from dbsynth.identifiers.addresses import regions_of, towns_of
from dbsynth.identifiers.faker import locales, names_of, samples, slug
from dbsynth.identifiers.phones import ranges_of, reachable
from dbsynth.identifiers.places import (
    Place,
    countries,
    in_latin,
    place_in,
    place_named,
    place_of,
    place_speaking,
    sex_of,
)
from dbsynth.identifiers.tongue import language_of, locale_of_names
from dbsynth.identifiers.traits import Persona, Source, Traits, persona_from_json
from dbsynth.schema import Column, ForeignKey, Kind

KEY = 7
PARTS = ("first_name", "last_name", "full_name", "user_name", "email", "city", "street_address",
         "region", "company", "job", "postcode", "phone")  # fmt: skip
MAIN = ("en_US", "de_DE", "ja_JP", "ar_SA", "ru_RU", "pl_PL", "lt_LT", "vi_VN", "fil_PH")


def traits(size: int, *places: str, female: int = -1) -> Traits:
    """Those of rows that live in each place in turn."""
    found = tuple(place_of(place) for place in places)
    sexes = np.full(size, female, np.int8)
    return Traits(found, np.arange(size) % len(found), sexes, told=True, sexed=female >= 0)


def drawn(name: str, index: np.ndarray, who: Traits, values: list | None = None, **column) -> list:
    unique = column.pop("unique", False)
    described = Column(column.pop("column", "x"), Kind.TEXT, "text", **column)
    array = pa.array(values or [], pa.string())
    state = PROVIDERS[name].fit(described, array, unique=unique, locale=who.places[0].locale, k=5)
    return PROVIDERS[name].draw_of(state, index.astype(np.uint64), who, key=KEY).to_pylist()


def check_locale(locale: str) -> None:
    """Every part of persons of a locale is there, belongs to the others, and can be written."""
    index = np.arange(400)
    person = {name: drawn(name, index, traits(400, locale)) for name in PARTS}
    assert all(value for values in person.values() for value in values)
    names = names_of(locale)
    slug_of = dict(zip(names.given.to_pylist(), names.given_slugs.to_pylist(), strict=True))
    family = dict(zip(names.family.to_pylist(), names.family_slugs.to_pylist(), strict=True))
    for first, last, full, user, email in zip(*list(person.values())[:5], strict=True):
        assert first in full
        assert last in full
        assert re.fullmatch(r"[a-z0-9]+\.[a-z0-9]+@example\.(com|org|net)", email)
        assert email.startswith(f"{slug_of[first]}.{family[last]}")
        assert user.startswith(f"{slug_of[first]}_{family[last]}")
    ascii_ = drawn("full_name", index, traits(400, locale), ["ANN LEE", "BO HALL"] * 5)
    assert all(name.isascii() for name in ascii_)


@pytest.mark.parametrize("locale", MAIN)
def test_the_parts_of_a_person_agree(locale: str) -> None:
    check_locale(locale)


@pytest.mark.slow
@pytest.mark.parametrize("locale", locales())
def test_the_parts_of_a_person_agree_in_every_locale(locale: str) -> None:
    check_locale(locale)


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "ru_RU", "cs_CZ"])
@pytest.mark.parametrize("female", [0, 1])
def test_names_and_titles_follow_the_sex(locale: str, female: int) -> None:
    index, who = np.arange(500), traits(500, locale, female=female)
    names = names_of(locale)
    given = names.given.to_pylist()
    allowed = set(given[: names.women] if female else given[names.women :])
    assert set(drawn("first_name", index, who)) <= allowed
    half = names.family.to_pylist()
    half = half[: names.families] if female else half[names.families :]
    assert set(drawn("last_name", index, who)) <= set(half)
    assert {sex_of(title) for title in drawn("name_title", index, who)} == {female}
    own = drawn("name_title", index, who, ["Mrs", "Mr", "Dr"] * 5)
    assert set(own) == ({"Mrs", "Dr"} if female else {"Mr", "Dr"})


@pytest.mark.parametrize("name", ["full_name", "email", "user_name", "first_name", "last_name"])
def test_unique_names_differ_across_countries_and_sexes(name: str) -> None:
    size = 30_000
    who = traits(size, "en_US", "en_GB", "de_DE", "de_AT", "es_ES")
    sexed = Traits(who.places, who.place, (np.arange(size) // 5 % 2).astype(np.int8), True, True)
    for one in (who, sexed):
        values = drawn(name, np.arange(size), one, unique=True)
        assert len({value.casefold() for value in values}) == size


def test_a_place_decides_code_and_form() -> None:
    index = np.arange(300)
    who = traits(300, "de_DE", "en_US", "pl_PL")
    phones = drawn("phone", index, who, ["+33 123 4567 89"] * 9)
    codes = drawn("postcode", index, who, ["1234 AB"] * 9)
    forms = (r"\+49 .*", r"\+1 .*", r"\+48 .*"), (r"\d{5}", r"\d{5}(-\d{4})?", r"\d\d-\d{3}")
    for number, (phone, code) in enumerate(zip(phones, codes, strict=True)):
        assert re.fullmatch(forms[0][number % 3], phone)
        assert re.fullmatch(forms[1][number % 3], code)


@pytest.mark.parametrize(
    ("country", "regions", "codes"),
    [
        ("US", {"Texas", "Ohio"}, {"TX", "OH"}), ("BR", {"Bahia", "Acre"}, {"BA", "AC"}),
        ("CA", {"Alberta", "Ontario"}, {"AB", "ON"}), ("FR", {"Alsace", "Bretagne"}, set()),
        ("DE", {"Bayern", "Berlin"}, set()), ("JP", {"Osaka", "Nagano"}, set()),
        ("YE", {"Aden", "Taiz"}, set()), ("PE", {"Cusco", "Piura"}, set()),
        ("MZ", {"Maputo", "Tete"}, set()), ("KW", {"Kuwait"}, set()),
    ],
)  # fmt: skip
def test_a_region_is_one_of_the_country(country: str, regions: set[str], codes: set[str]) -> None:
    """Names stay names and abbreviations stay abbreviations, of the same region in one row."""
    place, index = in_latin(place_in(country)), np.arange(2_000)
    who = Traits((place,), np.zeros(2_000, np.int64), np.full(2_000, -1, np.int8), told=True)
    named = drawn("region", index, who, ["Lowland", "Highland"] * 5)
    short = drawn("region", index, who, ["AX", "QZ"] * 5)
    known = regions_of(place.locale, "ascii")
    assert regions <= set(named) <= set(known.names.to_pylist())
    assert codes <= set(short)
    assert all(re.fullmatch("[A-Z]{2,4}", code) for code in short)
    pairs = set(zip(named, short, strict=True))
    assert len(pairs) == len({name for name, _ in pairs})


@pytest.mark.parametrize(
    ("country", "region", "codes"),
    [("US", "Texas", r"7[5-9]\d{3}"), ("CA", "Ontario", r"[KLMNP]\d.*"),
     ("IN", "Kerala", r"6[789]\d{4}"), ("MX", "Yucatán", r"97\d{3}")],
)  # fmt: skip
def test_a_postcode_is_inside_the_region(country: str, region: str, codes: str) -> None:
    place, index = place_in(country), np.arange(2_000)
    who = Traits((place,), np.zeros(2_000, np.int64), np.full(2_000, -1, np.int8), told=True)
    regions = drawn("region", index, who, ["Łódź", "Ávila"] * 5)
    found = drawn("postcode", index, who, ["123456"] * 9)
    mine = [code for code, name in zip(found, regions, strict=True) if name == region]
    assert len(mine) > 20
    assert all(re.fullmatch(codes, code) for code in mine)


@pytest.mark.parametrize("country", ["BH", "EG", "IR", "IL", "TH", "NP", "IN", "LK"])
def test_names_in_latin_letters_can_be_read(country: str) -> None:
    """What writes no vowels is not spelt letter by letter, neither in names nor in addresses."""
    place, index = in_latin(place_in(country)), np.arange(1_000)
    who = Traits((place,), np.zeros(1_000, np.int64), np.full(1_000, -1, np.int8), told=True)
    person = {name: drawn(name, index, who, ["ANN LEE", "BO HALL"] * 5)
              for name in ("first_name", "last_name", "city", "street_address", "email")}  # fmt: skip
    for name in ("first_name", "last_name", "city"):
        assert all(re.search("(?i)[aeiouy]", text) for text in person[name])
        assert not any(re.search("(?i)[bcdfghjklmnpqrstvwxz]{6}", text) for text in person[name])
    assert len(set(person["first_name"])) > 40
    for first, email in zip(person["first_name"], person["email"], strict=True):
        assert email.casefold().startswith(slug(first))


@pytest.mark.parametrize("locale", ["ja_JP", "ar_SA", "th_TH", "zh_CN"])
def test_jobs_in_latin_letters_are_not_spelt_letter_by_letter(locale: str) -> None:
    index, who = np.arange(500), traits(500, locale)
    english = {job.upper() for job in samples("en_US", "job", "ascii").to_pylist()}
    jobs = drawn("job", index, who, ["ANN LEE", "BO HALL"] * 5)
    assert sum(job in english for job in jobs) > 0.85 * len(jobs)


def test_names_of_a_table_keep_their_script(tmp_path: Path) -> None:
    """In a table of native names people keep them; in one of Latin names they are written abroad."""
    names = names_of("ar_SA")
    source = tmp_path / "source.db"
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute(
            "CREATE TABLE person (id INTEGER PRIMARY KEY, vorname TEXT, nachname TEXT, land TEXT)"
        )
        for number in range(120):
            given, family = names.given[number].as_py(), names.family[number % 40].as_py()
            row = (number, given, family, ("Saudi Arabia", "Egypt")[number % 2])
            connection.execute("INSERT INTO person VALUES (?, ?, ?, ?)", row)
        connection.execute("CREATE TABLE guest AS SELECT * FROM person")
        connection.execute("UPDATE guest SET vorname = 'Ann' || id, nachname = 'Lee' || id")
    model, _ = dbsynth.fit(f"sqlite:///{source}", tmp_path / "model")
    places = {name: model.tables[name].persona.places for name in ("person", "guest")}
    assert Place("EG", "ar_EG") in places["person"]
    assert Place("EG", "ar_Latn_EG") in places["guest"]


def test_a_number_is_written_as_those_of_its_country() -> None:
    real = [f"+33 1 23 45 {i:02} 89" for i in range(10)]
    real += [f"+1 (212) 555-1{i:03}" for i in range(30)] + ["030 1234567"] * 2
    found = drawn("phone", np.arange(400), traits(400, "fr_FR", "en_US", "de_DE"), real)
    forms = r"\+33 \d \d\d \d\d \d\d \d\d", r"\+1 \(\d{3}\) \d{3}-\d{4}"
    assert all(re.fullmatch(forms[i % 3], text) for i, text in enumerate(found) if i % 3 < 2)


def test_a_postcode_is_inside_the_region_that_its_row_says() -> None:
    who = replace(
        traits(300, "en_US", "en_CA"), region=pa.array(["TX", "Alberta", "Ohio", None] * 75)
    )
    codes = drawn("postcode", np.arange(300), who, ["12345"] * 9)
    assert all(re.fullmatch(r"7[5-9]\d{3}", code) for code in codes[::4])
    assert all(re.fullmatch(r"T\d.*", code) for code in codes[1::4])
    assert all(re.fullmatch(r"4[345]\d{3}", code) for code in codes[2::4])


def test_a_region_that_says_which_row_it_is_of_does_not_come_back(tmp_path: Path) -> None:
    states = regions_of("en_US", "ascii").names.to_pylist()[:36]
    few = regions_of("de_LI", "ascii").names.to_pylist()[:1]
    real = [(s, "United States") for s in states] + [(s, "Liechtenstein") for s in few]
    with closing(sqlite3.connect(tmp_path / "real.db")) as connection, connection:
        connection.execute(
            "CREATE TABLE customer (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT,"
            " street TEXT, region TEXT, country TEXT)"
        )
        connection.executemany(
            "INSERT INTO customer VALUES (?, ?, ?, ?, ?, ?)",
            [(i, f"Abc{i:02}", f"Defgh{i:02}", f"{i} Elm Street", *row)
             for i, row in enumerate(real)],
        )  # fmt: skip
    dbsynth.clone(f"sqlite:///{tmp_path}/real.db", f"sqlite:///{tmp_path}/clone.db")
    with closing(sqlite3.connect(tmp_path / "clone.db")) as connection:
        made = {region for (region,) in connection.execute("SELECT region FROM customer")}
    assert not made & {region for region, _ in real}
    assert made & set(regions_of("en_US", "ascii").names.to_pylist())


def test_regions_that_repeat_are_renamed_to_those_of_their_country(tmp_path: Path) -> None:
    """And those of a bill are its customer's, however few there are."""
    source, target = tmp_path / "source.db", tmp_path / "clone.db"
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.executescript(
            "CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, state TEXT, country TEXT);"
            "CREATE TABLE bill (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL"
            " REFERENCES customer (id), state TEXT, country TEXT, amount INTEGER);"
            "CREATE TABLE parcel (id INTEGER PRIMARY KEY, region TEXT, country TEXT);"
        )
        known = {"USA": ["Texas", "Ohio", "Iowa"], "Brazil": ["Acre", "Bahia", "Goiás"]}
        for i in range(90):
            country = ("USA", "Brazil")[i % 2]
            state = known[country][i % 3]
            row = (i, f"Ann Lee{i}", state, country)
            connection.execute("INSERT INTO customer VALUES (?, ?, ?, ?)", row)
            for j in range(4):
                row = (4 * i + j, i, state, country, j)
                connection.execute("INSERT INTO bill VALUES (?, ?, ?, ?, ?)", row)
                row = (4 * i + j, state, country)
                connection.execute("INSERT INTO parcel VALUES (?, ?, ?)", row)
    said = {name: {"columns": {"region" if name == "parcel" else "state": "renamed:region"}}
            for name in ("customer", "bill", "parcel")}  # fmt: skip
    spec = dbsynth.Spec.parse({"tables": said, "on_new": "propose"}, {})
    assert dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}", spec=spec).ok
    mine = {country: set(regions_of(place_named(country).locale, "any").names.to_pylist())
            for country in known}  # fmt: skip
    with closing(sqlite3.connect(target)) as clone:
        parcels = clone.execute("SELECT region, country FROM parcel").fetchall()
        bills = clone.execute(
            "SELECT b.state, c.state FROM bill b JOIN customer c ON c.id = b.customer_id"
        ).fetchall()
    assert all(region in mine[country] for region, country in parcels)
    assert 4 <= len({region for region, _ in parcels}) <= 12
    assert all(one == other for one, other in bills)


KEPT = {
    "US": r"\d{3}55501\d\d", "DE": r"3023125\d{3}|6990009\d{3}|4066969\d{3}|2214710\d{3}|8999998\d{3}"
    r"|17139200\d\d", "GB": r"7700900\d{3}|2079460\d{3}|1632960\d{3}|1\d{3}9[68]0\d{3}|2[89]\d01[28]0\d{3}",
    "FR": r"19900\d{4}|26191\d{4}|35301\d{4}|46571\d{4}|53649\d{4}|63998\d{4}",
}  # fmt: skip


@pytest.mark.parametrize("country", ["US", "DE", "GB", "FR", "PL", "JP", "BR", "IN", "ZA", "TR"])
def test_no_number_reaches_anybody(country: str) -> None:
    """What regulators keep for fiction, or what the numbering plan gives to nobody."""
    digits = 9 if country == "FR" else 10
    kept, every = ranges_of(country, digits)
    assert (kept is not every) == (country in KEPT)
    for value, size in zip(every.values.tolist(), every.sizes.tolist(), strict=True):
        number = f"{value + size // 3:0{digits}}"
        if not re.fullmatch(KEPT.get(country, "no"), number):
            assert not reachable(number, country)
    assert kept.total <= every.total


def test_countries_are_known_by_many_names() -> None:
    assert place_named("Deutschland") == place_named("DEU") == place_in("DE")
    assert place_named("Viet Nam") == Place("VN", "vi_VN")
    assert place_named("de-AT") == Place("AT", "de_AT")
    assert place_named("Springfield") is None
    assert place_speaking("Polish") == place_speaking("pl") == Place("PL", "pl_PL")
    assert all(place_in(code).country == code for code in countries())


def test_a_locale_is_known_by_its_names() -> None:
    polish = names_of("pl_PL")
    assert locale_of_names([*polish.given.to_pylist(), *polish.family.to_pylist()]) == "pl_PL"
    assert (
        locale_of_names(["John Smith", "Mary Jones", "Peter Brown", "Ann Cook", "Tim Hall"])
        == "en_US"
    )
    assert locale_of_names([]) == "en_US"


def test_a_language_is_known_by_its_small_words() -> None:
    german = ["Der Kunde hat nicht bezahlt und ist auf der Liste", "Das Paket ist nicht da"]
    assert language_of(german, "en_US") == "de_DE"
    assert language_of(german, "de_AT") == "de_AT"
    assert language_of(["The customer did not pay and is on the list"], "pl_PL") == "en_US"
    assert language_of(["お客様は支払いませんでした"], "en_US") == "ja_JP"
    assert language_of(["x1 y2"], "fr_FR") == "fr_FR"


def test_a_persona_survives_json() -> None:
    fk = ForeignKey("person", ("home",), "place", ("id",))
    persona = Persona(
        "de_DE", (place_of("de_DE"), Place("PL", "pl_PL")),
        {"phone": Source("country", (fk,))}, Source("is_male", (), turned=True),
    )  # fmt: skip
    assert persona_from_json(persona.to_json([fk]), [fk]) == persona


def people_database(path: Path) -> None:
    """Customers who say their sex and country, and clerks who do not."""
    women, men = ("Ann", "Mary", "Jane", "Ruth"), ("Paul", "John", "Mark", "Luke")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TABLE customer (id integer PRIMARY KEY, sex text NOT NULL, first_name text,"
            " last_name text, email text UNIQUE, phone text, country text, login text UNIQUE)"
        )
        rows = []
        for i in range(400):
            sex = "FM"[i % 2]
            first = (women if sex == "F" else men)[i // 2 % 4]
            last = f"{'ABCDEFGHIJ'[i % 10]}lden{'abcdefghij'[i // 10 % 10]}{'xyz'[i // 100 % 3]}"
            country, code = [("Germany", 49), ("Poland", 48), ("Japan", 81)][i % 3]
            rows.append(
                (i, sex, first, last, f"{first}.{last}{i}@mail.org".lower(), f"+{code} 555 {i:06}",
                 country, f"{first[0]}{last}{i}".lower())
            )  # fmt: skip
        connection.executemany("INSERT INTO customer VALUES (?,?,?,?,?,?,?,?)", rows)


def test_a_clone_has_whole_persons(tmp_path: Path) -> None:
    source, target = tmp_path / "source.db", tmp_path / "clone.db"
    people_database(source)
    dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}")
    with closing(sqlite3.connect(target)) as connection:
        rows = connection.execute(
            "SELECT sex, first_name, last_name, email, phone, country, login FROM customer"
        ).fetchall()
    assert len({row[5] for row in rows}) == 3
    for sex, first, last, email, phone, country, login in rows:
        place = place_named(country)
        assert place is not None
        names = names_of(place.locale, "ascii")
        given = names.given.to_pylist()
        at = given.index(first)
        assert (at < names.women) == (sex == "F") or not names.told
        assert last in names.family.to_pylist()
        local = f"{names.given_slugs[at].as_py()}.{slug(last)}"
        assert email.startswith(local)
        assert login.startswith(names.given_slugs[at].as_py())
        assert re.match(r"\+\d+ ", phone)
        assert not reachable(re.sub(r"\D", "", phone.split(" ", 1)[1]), place.country) or (
            place.country == "DE"
        )


def test_a_redraw_moves_the_whole_person(tmp_path: Path) -> None:
    """A table whose persons are all in use: names, address and login go on together."""
    source, target = tmp_path / "source.db", tmp_path / "clone.db"
    file = tmp_path / "people.dbsynth"
    people_database(source)
    dbsynth.fit(f"sqlite:///{source}", file)
    model = dbsynth.load_model(file)
    facts = model.tables["customer"]
    provided = facts.columns["login"].provided
    assert provided is not None

    half = AvoidList.room(4, 1)
    half = replace(half, bits=np.full_like(half.bits, 0b10101010))  # every other login is taken
    columns = {**facts.columns, "login": replace(
        facts.columns["login"], provided=replace(provided, avoid=half))}  # fmt: skip
    tables = {**model.tables, "customer": replace(facts, columns=columns)}
    replace(model, tables=tables).save(file)
    dbsynth.load(file, f"sqlite:///{target}", source=None)
    with closing(sqlite3.connect(target)) as connection:
        rows = connection.execute(
            "SELECT first_name, last_name, email, login, country FROM customer"
        )
        for first, last, email, login, country in rows.fetchall():
            names = names_of(place_named(country).locale, "ascii")
            given = names.given_slugs[names.given.to_pylist().index(first)].as_py()
            assert email.startswith(f"{given}.{slug(last)}")
            assert login.startswith(given)
            assert not half.contains(pa.array([login]))[0]


def test_a_middle_name_is_another_one() -> None:
    index, who = np.arange(300), traits(300, "en_US")
    first = drawn("first_name", index, who)
    middle = drawn("first_name", index, who, column="middle_name")
    # Of 690 names about one in 690 is the same by chance; 10 of 300 would be 9 too many.
    assert sum(a == b for a, b in zip(first, middle, strict=True)) < 10
    initials = drawn("first_name", index, who, ["N.", "A."] * 5, column="middle_name")
    assert all(re.fullmatch(r"[A-Z]\.", text) for text in initials)


def test_short_unique_codes_keep_their_letters() -> None:
    values = [chr(65 + i % 26) + chr(65 + i // 26) + "KXY" for i in range(90)]
    column = Column("id", Kind.TEXT, "varchar(5)", length=5)
    state = PROVIDERS["pattern"].fit(column, pa.array(values), unique=True, locale="en_US", k=5)
    found = PROVIDERS["pattern"].draw(state, np.arange(90, dtype=np.uint64), key=KEY)
    assert pc.all(pc.match_substring_regex(found, "^[A-Z]{5}$")).as_py()


def logged_database(path: Path) -> None:
    """People, and logs that name them by login and e-mail, with no key between them."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(
            "CREATE TABLE person (id integer PRIMARY KEY, login text NOT NULL UNIQUE, email text);"
            "CREATE TABLE audit_log (id integer PRIMARY KEY, login text NOT NULL, at text);"
            "CREATE TABLE mailing (id integer PRIMARY KEY, email text, list text)"
        )
        people = [(i, f"user{i * 7919 % 10007}x", f"p{i * 31 % 997}@firm.org") for i in range(60)]
        logs = [(i, people[i * i % 60][1], "2024-01-01") for i in range(400)]
        mailing = [(i, people[i * 3 % 60][2], "news") for i in range(50)]
        connection.executemany("INSERT INTO person VALUES (?,?,?)", people)
        connection.executemany("INSERT INTO audit_log VALUES (?,?,?)", logs)
        connection.executemany("INSERT INTO mailing VALUES (?,?,?)", mailing)


def test_a_value_without_a_key_is_of_the_same_person(tmp_path: Path) -> None:
    source, target = tmp_path / "source.db", tmp_path / "clone.db"
    logged_database(source)
    report = dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}")
    assert any("audit_log.login holds values of person.login" in note for note in report.notes)
    with closing(sqlite3.connect(target)) as connection:
        logins = {row[0] for row in connection.execute("SELECT login FROM person")}
        logged = [row[0] for row in connection.execute("SELECT login FROM audit_log")]
        emails = {row[0] for row in connection.execute("SELECT email FROM person")}
        mailed = [row[0] for row in connection.execute("SELECT email FROM mailing")]
    assert set(logged) <= logins
    assert len(set(logged)) > 10
    assert set(mailed) <= emails
    assert all(
        address.endswith(("example.com", "example.org", "example.net")) for address in mailed
    )


def test_codes_under_a_check_suffice_for_a_larger_clone(tmp_path: Path) -> None:
    source, target = tmp_path / "source.db", tmp_path / "clone.db"
    with closing(sqlite3.connect(source)) as connection, connection:
        form = "[A-Z][A-Z][A-Z]-[0-9][0-9][0-9][0-9]"
        connection.execute(
            f"CREATE TABLE part (code text PRIMARY KEY CHECK (code GLOB '{form}'), n int)"
        )
        rows = [(f"ABC-{i:04}", i % 7) for i in range(800)]
        connection.executemany("INSERT INTO part VALUES (?,?)", rows)
    dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}", spec=dbsynth.Spec(scale=15))
    with closing(sqlite3.connect(target)) as connection:
        codes = [row[0] for row in connection.execute("SELECT code FROM part")]
    assert len(set(codes)) == 12_000
    assert all(re.fullmatch("[A-Z]{3}-[0-9]{4}", code) for code in codes)


def test_an_order_is_shipped_to_the_person_of_its_customer(tmp_path: Path) -> None:
    source, target = tmp_path / "source.db", tmp_path / "clone.db"
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.executescript(
            "CREATE TABLE customer (id integer PRIMARY KEY, first_name text, last_name text,"
            " email text, company text);"
            "CREATE TABLE orders (id integer PRIMARY KEY, customer_id int NOT NULL REFERENCES customer,"
            " ship_name text, contact_email text, ship_company text)"
        )
        names = names_of("en_US")
        given, family = names.given.to_pylist(), names.family.to_pylist()
        people = [(i, given[i * 7], family[i * 11], f"c{i}@firm.org", f"{family[i]} & Sons")
                  for i in range(60)]  # fmt: skip
        orders = []
        for i in range(600):
            _, first, last, email, company = people[i * 7 % 60]
            other = i % 5 == 0  # every fifth order goes to another firm
            orders.append(
                (i, i * 7 % 60, f"{first} {last}", email, f"{family[i]} Ltd" if other else company)
            )
        connection.executemany("INSERT INTO customer VALUES (?,?,?,?,?)", people)
        connection.executemany("INSERT INTO orders VALUES (?,?,?,?,?)", orders)
    dbsynth.clone(f"sqlite:///{source}", f"sqlite:///{target}")
    with closing(sqlite3.connect(target)) as connection:
        rows = connection.execute(
            "SELECT ship_name, first_name || ' ' || last_name, contact_email, email, ship_company, company"
            " FROM orders JOIN customer ON customer.id = customer_id"
        ).fetchall()
    assert all(row[0] == row[1] and row[2] == row[3] for row in rows)
    same = sum(row[4] == row[5] for row in rows) / len(rows)
    assert 0.65 < same < 0.95  # 80 in 100, of 600 rows in 60 families: three deviations are .13


def billing_database(path: Path) -> None:
    """Invoices that say again where their customer lives, some of it in words that few share."""
    draw = np.random.default_rng(5)
    countries = ["Austria", "Chile", "Peru", "Kenya", "Malta", "Oman"]
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("CREATE TABLE customer (id INTEGER PRIMARY KEY, country TEXT, tier TEXT)")
        file.execute(
            "CREATE TABLE invoice (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL"
            " REFERENCES customer, billing_country TEXT, tier TEXT, total INTEGER)"
        )
        for i in range(90):
            country = countries[0] if i < 50 else countries[1 + i % 2] if i < 80 else None
            country = country if i < 84 else f"Land {i}"  # of one customer each
            tier = str(draw.choice(["gold", "silver"]))
            file.execute("INSERT INTO customer VALUES (?, ?, ?)", (i, country, tier))
            for _ in range(int(draw.integers(1, 8))):
                other = str(draw.choice(["gold", "silver"]))
                file.execute(
                    "INSERT INTO invoice (customer_id, billing_country, tier, total)"
                    " VALUES (?, ?, ?, ?)",
                    (i, country, other, int(draw.integers(10, 900))),
                )


def test_what_a_parent_says_is_said_again(tmp_path: Path) -> None:
    billing_database(tmp_path / "source.db")
    target = f"sqlite:///{tmp_path / 'clone.db'}"
    report = dbsynth.clone(f"sqlite:///{tmp_path / 'source.db'}", target, spec=dbsynth.Spec(seed=3))
    assert report.ok, report
    with closing(sqlite3.connect(tmp_path / "clone.db")) as file:
        same, none, tiers = file.execute(
            "SELECT avg(c.country IS i.billing_country), sum(i.billing_country IS NULL),"
            " avg(c.tier = i.tier) FROM invoice i JOIN customer c ON c.id = i.customer_id"
        ).fetchone()
        countries = {row[0] for row in file.execute("SELECT country FROM customer")}
    assert same == 1
    assert none > 0
    assert 0.3 < tiers < 0.7  # the same words, and yet not the parent's
    assert not any(str(country).startswith("Land") for country in countries)


def test_a_wish_is_for_the_column_that_says_it_first(tmp_path: Path) -> None:
    billing_database(tmp_path / "source.db")
    source, target = (f"sqlite:///{tmp_path / name}" for name in ("source.db", "clone.db"))
    wish = {"rebalance": {"billing_country": {"Chile": 0.6}}}
    with pytest.raises(SpecError, match=r"holds what `customer\.country` holds; steer that column"):
        dbsynth.clone(source, target, spec=dbsynth.Spec.parse({"tables": {"invoice": wish}}, {}))


@pytest.mark.parametrize("locale", ["en_US", "vi_VN", "es_AR", "ja_JP", "tr_TR"])
def test_there_are_towns_beside_those_that_are_somebodys(locale: str) -> None:
    """Where all towns of a list are real ones of the source, a redraw finds others."""
    who, real = traits(300, locale), towns_of(locale)
    state = PROVIDERS["city"].fit(Column("x", Kind.TEXT, "text"), real, unique=False,
                                  locale=locale, k=5)  # fmt: skip
    avoid = AvoidList.of(real, 3)
    index = np.arange(300, dtype=np.uint64)
    found = draw_avoiding(PROVIDERS["city"], state, index, KEY, avoid, 512, who)
    assert avoid.contains(found).mean() < 0.15
    plain = PROVIDERS["city"].draw_of(state, index, who, key=KEY)
    assert pc.mean(pc.match_substring_regex(plain, "-[A-Z].*-").cast(pa.float64())).as_py() < 0.1
