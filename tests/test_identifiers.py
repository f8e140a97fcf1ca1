"""Providers: determinism, uniqueness, limits, validity, coherence, and nothing rare in a state."""

from __future__ import annotations

import gzip
import io
import ipaddress
import json
import re
import uuid
import xml.etree.ElementTree as ET
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from PIL import Image
from stdnum import isbn, iso11649, issn, lei
from stdnum.iso7064 import mod_97_10

from dbsynth.identifiers import PROVIDERS, AvoidList, draw_avoiding
from dbsynth.identifiers.arrays import elements
from dbsynth.identifiers.faker import slug, words_of
from dbsynth.identifiers.files import FILES, kind_of
from dbsynth.identifiers.places import place_of
from dbsynth.identifiers.recognise import luhn_holds, written_as
from dbsynth.identifiers.regular import places_of
from dbsynth.identifiers.strings import within
from dbsynth.identifiers.traits import Traits
from dbsynth.schema import Column, Kind

KEY = 20_26
MANY = 200_000
_KINDS = {"digits": Kind.INTEGER, "bytes": Kind.BYTES, "coordinates": Kind.FLOAT}
_ARROW = {
    Kind.INTEGER: pa.int64(),
    Kind.BYTES: pa.binary(),
    Kind.FLOAT: pa.float64(),
    Kind.TEXT: pa.string(),
}
_TYPES = {"array": "text[]", "by_type": "tstzrange"}
_FEW = {"name_title"}  # values that no column needs to be unique in


def _column(name: str, length: int | None = None, sql_type: str = "") -> Column:
    kind = _KINDS.get(name, Kind.TEXT)
    return Column("x", kind, sql_type or _TYPES.get(name, "text"), length=length)


def _state(name: str, *, unique: bool = False, values: list | None = None, k: int = 5, **column):
    described = _column(name, **column)
    array = pa.array(values or [], _ARROW[described.kind])
    return PROVIDERS[name].fit(described, array, unique=unique, locale="en_US", k=k)


def _draw(name: str, state, index) -> pa.Array:
    return PROVIDERS[name].draw(state, np.asarray(index, np.uint64), key=KEY)


def _folded(values: pa.Array) -> pa.Array:
    return pc.utf8_lower(values) if pa.types.is_string(values.type) else values


@pytest.mark.parametrize("name", sorted(PROVIDERS))
@pytest.mark.parametrize("unique", [False, True])
def test_state_survives_json_and_values_depend_on_the_index_alone(name: str, unique: bool) -> None:
    state = json.loads(json.dumps(_state(name, unique=unique)))
    index = np.array([5, 3, 2**39, 77, 10**6, 0], np.uint64)
    whole = _draw(name, state, index)
    assert whole.null_count == 0
    assert whole[2:5].equals(_draw(name, state, index[2:5]))
    assert len(_draw(name, state, index[:0])) == 0


@pytest.mark.parametrize("name", sorted(set(PROVIDERS) - _FEW))
def test_unique_values_differ_even_when_case_is_ignored(name: str) -> None:
    state = _state(name, unique=True)
    near, far = np.arange(MANY), 2**40 - 1 - np.arange(1_000) * 999_983
    values = _draw(name, state, np.concatenate([near, far]))
    assert pc.count_distinct(_folded(values)).as_py() == len(near) + len(far)


@pytest.mark.parametrize("length", [6, 8, 12, 20, 33])
@pytest.mark.parametrize(
    "name",
    sorted(set(PROVIDERS) - _FEW - set(_KINDS) - {"array", "by_type", "cidr", "inet", "tsvector"}),
)
def test_lengths_are_kept_and_values_stay_unique_in_them(name: str, length: int) -> None:
    if name in ("xml", "json") and length < 20:
        pytest.skip("no room for different documents")
    values = _draw(name, _state(name, unique=True, length=length), np.arange(5_000))
    assert pc.max(pc.utf8_length(values)).as_py() <= length
    assert pc.count_distinct(_folded(values)).as_py() == 5_000


@pytest.mark.parametrize("length", [1, 3, 10, 25])
@pytest.mark.parametrize("name", ["text", "label", "full_name", "street_address", "token", "city"])
def test_lengths_are_kept_where_values_may_repeat(name: str, length: int) -> None:
    values = _draw(name, _state(name, length=length), np.arange(2_000))
    assert pc.min(pc.utf8_length(values)).as_py() >= 1
    assert pc.max(pc.utf8_length(values)).as_py() <= length


def test_one_index_is_one_person_in_every_provider() -> None:
    index = np.arange(0, 10**7, 1_013)
    drawn = {
        name: _draw(name, _state(name, unique=name == "email"), index).to_pylist()
        for name in ("first_name", "last_name", "full_name", "email", "user_name")
    }
    for first, last, full, email, user in zip(*drawn.values(), strict=True):
        assert full.startswith(f"{first} {last}")
        assert email.startswith(f"{slug(first)}.{slug(last)}")
        assert user.startswith(f"{slug(first)}_{slug(last)}")


def test_addresses_belong_to_reserved_domains_and_networks() -> None:
    emails = _draw("email", _state("email"), np.arange(1_000)).to_pylist()
    assert {e.rpartition("@")[2] for e in emails} == {"example.com", "example.org", "example.net"}
    reserved = [ipaddress.ip_network(n) for n in
                ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]  # fmt: skip
    for text in _draw("ip", _state("ip", unique=True), np.arange(3_000)).to_pylist():
        assert any(ipaddress.ip_address(text) in net for net in reserved)


def test_phones_of_a_country_have_a_shape_that_it_has() -> None:
    texts = ["(206) 555-1189", "30.59.84.10", "(91) 745 6200", "555-4729"] * 20
    column = Column("phone", Kind.TEXT, "varchar(24)", length=24)
    provider = PROVIDERS["phone"]
    state = provider.fit(column, pa.array(texts), unique=False, locale="en_US", k=5)
    index = np.arange(400, dtype=np.uint64)
    places = tuple(map(place_of, ("en_US", "fr_FR", "es_ES")))
    traits = Traits(places, np.arange(400) % 3, np.full(400, -1, np.int8), told=True)
    drawn = provider.draw_of(state, index, traits, key=1).to_pylist()
    shapes = [{re.sub("[0-9]", "#", text) for text in drawn[i::3]} for i in range(3)]
    assert shapes[0] == {"(###) ###-####", "###-####"}
    assert shapes[1] == shapes[2] == {"(##) ### ####"}
    # Of a guess that rows do not bear out nothing follows.
    guessed = provider.draw(state, index, key=1).to_pylist()
    assert len({re.sub("[0-9]", "#", text) for text in guessed}) == 4


def test_texts_are_shortened_by_whole_words_where_enough_is_left() -> None:
    texts = ["Villa Vieja Perote", "Cunha do Amparo", "Lake Nicoleborough", "New Yorkie town x"]
    index = np.arange(4, dtype=np.uint64)
    found = within(pa.array(texts), index, key=1, limit=15, unique=False)
    assert found.to_pylist() == [
        "Villa Vieja", "Cunha do Amparo", "Lake Nicoleboro", "New Yorkie town"
    ]  # fmt: skip


def test_phones_keep_their_shape_and_end_in_fiction() -> None:
    real = [f"+1 ({200 + i}) 423-{1000 + i}" for i in range(50)]
    values = _draw("phone", _state("phone", values=real), np.arange(500))
    pattern = r"^\+\d \(\d{3}\) 555-01\d\d$"
    assert pc.all(pc.match_substring_regex(values, pattern)).as_py()


@pytest.mark.parametrize("country", ["DE", "FR", "GB", "PL"])
def test_ibans_have_a_right_checksum(country: str) -> None:
    values = _draw("iban", _state("iban", values=[f"{country}00 1234"] * 5), np.arange(600))
    assert written_as(values) == "iban"
    assert pc.all(pc.starts_with(values, country)).as_py()


def test_cards_have_a_right_check_digit() -> None:
    for values in ([], ["1111-2222-3333-4444"] * 9):
        drawn = _draw(
            "card", _state("card", values=values, unique=True), np.arange(500)
        ).to_pylist()
        assert all(luhn_holds(card) for card in drawn)


def test_uuids_are_of_version_four() -> None:
    values = _draw("uuid", _state("uuid", unique=True), np.arange(200)).to_pylist()
    assert {uuid.UUID(v).version for v in values} == {4}
    assert {uuid.UUID(v).variant for v in values} == {uuid.RFC_4122}


def test_codes_have_the_shape_of_the_column() -> None:
    real = [f"SKU-{i:05}-{chr(65 + i % 26)}" for i in range(100)]
    state = _state("pattern", values=real, unique=True)
    values = _draw("pattern", state, np.arange(1_000))
    assert pc.all(pc.match_substring_regex(values, r"^SKU-\d{5}-[A-Z]$")).as_py()


def test_a_prefix_that_few_share_is_not_kept() -> None:
    state = _state("pattern", values=["ACME-001", "ACME-002", "ACME-003", "ACME-004"])
    assert "ACME" not in json.dumps(state)


def test_serial_numbers_stay_in_the_magnitude_of_the_column() -> None:
    real = list(range(1_000_000, 9_000_000, 9_973))
    state = _state("digits", values=real, unique=True)
    values = _draw("digits", state, np.arange(100_000)).to_numpy()
    assert 1_000_000 <= values.min() < values.max() <= 9_000_000
    assert len(np.unique(values)) == 100_000


def test_serial_numbers_respect_the_width_of_the_type() -> None:
    column = Column("x", Kind.INTEGER, "smallint", bits=16)
    state = PROVIDERS["digits"].fit(column, pa.array(range(30_000, 32_000)), unique=True,
                                    locale="en_US", k=5)  # fmt: skip
    values = _draw("digits", state, np.arange(40_000)).to_numpy()
    assert -(2**15) <= values.min() < values.max() < 2**15
    assert len(np.unique(values)) == 40_000


def test_text_has_the_lengths_of_the_column() -> None:
    real = ["word " * (3 + i % 50) for i in range(1_000)]
    values = _draw("text", _state("text", values=real), np.arange(5_000))
    asked = np.quantile([len(v) for v in real], [0.25, 0.5, 0.75])
    got = np.quantile(pc.utf8_length(values).to_numpy(), [0.25, 0.5, 0.75])
    assert np.allclose(asked, got, rtol=0.15)


def test_json_keeps_structure_and_drops_rare_words() -> None:
    real = [json.dumps({"color": ["red", "blue"][i % 2], "owner": f"Canary {i}", "n": i,
                        "tags": ["a", "b"][: i % 3], **({"vip": True} if i == 7 else {})})
            for i in range(100)]  # fmt: skip
    state = _state("json", values=real)
    assert "Canary" not in json.dumps(state)
    assert "vip" not in json.dumps(state)
    for text in _draw("json", state, np.arange(500)).to_pylist():
        document = json.loads(text)
        assert list(document) == ["color", "owner", "n", "tags"]
        assert document["color"] in ("red", "blue")
        assert type(document["n"]) is int
        assert set(document["tags"]) <= {"a", "b"}


def test_xml_is_well_formed() -> None:
    real = [f"<note><to>Canary{i}</to><body>x</body></note>" for i in range(20)]
    state = _state("xml", values=real)
    assert "Canary" not in json.dumps(state)
    for text in _draw("xml", state, np.arange(100)).to_pylist():
        assert [child.tag for child in ET.fromstring(text)] == ["to", "body"]


def test_arrays_have_elements_of_their_type() -> None:
    real = [f"{{{i},{i + 1}}}" for i in range(50)]
    state = _state("array", values=real, sql_type="integer[]")
    for text in _draw("array", state, np.arange(100)).to_pylist():
        assert len([int(item) for item in elements(text)]) == 2


def test_arrays_quote_what_needs_quotes() -> None:
    real = ['{"Deleted Scenes",Trailers}', '{"a,b","say \\"hi\\""}'] * 10
    state = _state("array", values=real)
    known = {"Deleted Scenes", "Trailers", "a,b", 'say "hi"'}
    for text in _draw("array", state, np.arange(200)).to_pylist():
        assert set(elements(text)) <= known


_CANARIES = [f"Zq{i}xw Canary{i}" for i in range(40)] + ["Quorvax Unique"]


@pytest.mark.parametrize("name", sorted(set(PROVIDERS) - set(_KINDS)))
def test_no_rare_value_enters_a_state(name: str) -> None:
    text = json.dumps(_state(name, values=[*_CANARIES, *["often"] * 50]))
    assert "Canary" not in text
    assert "Quorvax" not in text
    assert "Zq" not in text


def test_an_avoid_list_never_misses_and_ignores_case_and_blanks() -> None:
    real = pa.array([f"Person {i}" for i in range(10_000)])
    avoid = AvoidList.from_bytes(AvoidList.of(real, salt=9).to_bytes())
    assert avoid.contains(pa.array([f"  pERSON {i} " for i in range(10_000)])).all()
    others = avoid.contains(pa.array([f"other {i}" for i in range(10_000)])).mean()
    assert others < 0.15
    assert not avoid.contains(pa.array([None], pa.string())).any()


@pytest.mark.parametrize("unique", [False, True])
def test_avoided_values_are_not_drawn(unique: bool) -> None:
    state = _state("full_name", unique=unique)
    index = np.arange(20_000, dtype=np.uint64)
    real = _draw("full_name", state, index[::2])
    avoid = AvoidList.of(real, salt=1)
    values = draw_avoiding(PROVIDERS["full_name"], state, index, KEY, avoid, span=20_000)
    assert not pc.any(pc.is_in(values, real)).as_py()
    half = draw_avoiding(PROVIDERS["full_name"], state, index[500:900], KEY, avoid, span=20_000)
    assert values[500:900].equals(half)
    if unique:
        assert pc.count_distinct(values).as_py() == len(index)


@pytest.mark.parametrize("locale", ["de_DE", "fr_FR", "es_ES", "pt_BR", "pl_PL", "ja_JP", "xx_YY"])
@pytest.mark.parametrize("name", ["full_name", "email", "street_address", "city", "text", "job"])
def test_locales_draw_unique_values(locale: str, name: str) -> None:
    state = PROVIDERS[name].fit(_column(name), pa.array([], pa.string()), unique=True,
                                locale=locale, k=5)  # fmt: skip
    values = _draw(name, state, np.arange(20_000))
    assert pc.count_distinct(_folded(values)).as_py() == 20_000


_RANGES = ["int4range", "numrange", "tsrange", "tstzrange", "daterange", "int8multirange", "inet",
           "cidr", "macaddr", "money", "point", "box", "circle", "polygon", "interval", "bit(8)",
           "bit varying(12)", "tsvector", "xml", "hstore", "ltree", "pg_lsn",
           "time with time zone", "interval day to second(2)", "interval year to month", "xid8"]  # fmt: skip


@pytest.mark.parametrize("sql_type", _RANGES)
def test_every_known_type_has_values(sql_type: str) -> None:
    values = _draw("by_type", _state("by_type", sql_type=sql_type), np.arange(50))
    assert values.null_count == 0
    if sql_type.startswith("bit("):
        assert set(pc.utf8_length(values).to_pylist()) == {8}


def test_an_unknown_type_has_frequent_literals_or_nothing() -> None:
    state = _state("by_type", values=["seen"] * 9 + ["once"], sql_type="odd")
    assert set(_draw("by_type", state, np.arange(9)).to_pylist()) == {"seen"}
    assert _state("by_type", values=["once", "twice"], sql_type="odd")["none"] is True


@pytest.mark.parametrize(
    ("sql_type", "seen", "drawn"),
    [
        ("regclass", ["orders", "lines"], "-"),
        ("address", ['(1,"a, ""b""",)', "(2,x,y)"], "(,,)"),
        ("address", ["(1)", "(2)"], "()"),
        ("jsonpath", ["$.a", "$.b"], "$"),
    ],
)
def test_what_nothing_is_known_of_is_void_where_its_type_can_say_so(
    sql_type: str, seen: list[str], drawn: str
) -> None:
    state = _state("by_type", values=seen, sql_type=sql_type)
    assert set(_draw("by_type", state, np.arange(5)).to_pylist()) == {drawn}


@pytest.mark.parametrize(("sql_type", "seen"), [("vector(3)", []), ("vector", ["[1,2.5,-1e-05]"])])
def test_embeddings_are_directions_of_their_size(sql_type: str, seen: list[str]) -> None:
    texts = _draw("by_type", _state("by_type", values=seen, sql_type=sql_type), np.arange(200))
    found = np.array([[float(x) for x in text[1:-1].split(",")] for text in texts.to_pylist()])
    assert found.shape == (200, 3)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert np.all(np.abs(found.mean(axis=0)) < 0.2)
    assert len(np.unique(found, axis=0)) == 200


def _opened(kind: str, data: bytes) -> None:
    """Read a file as its viewers do."""
    match kind:
        case "png" | "jpeg" | "gif" | "bmp":
            with Image.open(io.BytesIO(data)) as picture:
                assert picture.format == kind.upper()
                picture.load()
        case "pdf":
            assert data.startswith(b"%PDF-1.4\n")
            start = int(data.rsplit(b"startxref\n", 1)[1].split()[0])
            assert data[start:].startswith(b"xref\n")
            places = [int(line[:10]) for line in data[start:].splitlines()[3:7]]
            assert [data[at : at + 7] for at in places] == [b"%d 0 obj" % n for n in (1, 2, 3, 4)]
        case "zip":
            assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None
        case "gzip":
            assert gzip.decompress(data)
        case "json":
            assert set(json.loads(data)) == {"ref", "text"}
        case "xml" | "svg":
            ET.fromstring(data)
        case _:
            assert data.decode()


@pytest.mark.parametrize("kind", sorted(FILES))
@pytest.mark.parametrize("size", [10, 700, 12_000])
def test_files_stay_files_of_their_kind_and_size(kind: str, size: int) -> None:
    random = np.random.Generator(np.random.Philox(5))
    real = [FILES[kind](random.bytes(2 * size + 64), size + i) for i in range(20)]
    assert {kind_of(data) for data in real} == {kind}
    values = _draw("bytes", _state("bytes", values=real, unique=True), np.arange(40)).to_pylist()
    assert len(set(values)) == 40
    assert not set(values) & set(real)
    for data in values:
        assert kind_of(data) == kind
        assert size < 500 or 0.8 * size < len(data) < 1.2 * size + 100
        _opened(kind, data)


def test_other_bytes_stay_random() -> None:
    real = [bytes([0x80, i]) * 30 for i in range(20)]
    values = _draw("bytes", _state("bytes", values=real, unique=True), np.arange(40)).to_pylist()
    assert {len(data) for data in values} == {60}
    assert len(set(values)) == 40


def test_text_is_in_the_language_of_the_column() -> None:
    german = [
        f"Der Kunde {i} hat die Ware nicht bezahlt und wohnt nicht mehr da." for i in range(30)
    ]
    state = _state("text", values=german)
    assert state["locale"] == "de_DE"
    words = {w.casefold() for w in words_of("de_DE")}
    drawn = " ".join(_draw("text", state, np.arange(50)).to_pylist())
    assert {w.casefold() for w in re.findall(r"[^\W\d_]{4,}", drawn)} <= words


def test_codes_that_run_out_vary_in_what_all_had_in_common() -> None:
    values = [f"ABC-{i:04}" for i in range(800)]
    values = [v for v in values if v[-1] != "7"]
    state = _state("pattern", values=values, unique=True, length=8)
    found = _draw("pattern", state, np.arange(30_000))
    assert pc.all(pc.match_substring_regex(found, "^[A-Z]{3}-[0-9]{4}$")).as_py()
    assert pc.count_distinct(found).as_py() == 30_000


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("((code)::text ~ '^INV-[0-9]{2,3}$'::text)", ["I", "N", "V", "-", *["0123456789"] * 3]),
        ("code GLOB '[AB][0-1]'", ["AB", "01"]),
        ("code ~ '^(a|b)$'", None),
        ("length(code) = 3", None),
        ("code ~ '^\\d$' OR code ~ 'x'", None),
    ],
)
def test_a_check_tells_what_may_stand_in_a_code(sql: str, expected: list[str] | None) -> None:
    assert places_of(sql, None) == expected


def _luhn(number: str) -> str:
    return next(number + str(d) for d in range(10) if luhn_holds("000000" + number + str(d)))


def test_check_digits_are_right_where_the_column_has_them() -> None:
    real = [_luhn(f"{i * 7919 % 10**7:07}") for i in range(1, 60)]
    drawn = _draw("pattern", _state("pattern", values=real, unique=True), np.arange(5_000))
    assert all(luhn_holds("000000" + text) for text in drawn.to_pylist())
    assert pc.count_distinct(drawn).as_py() == 5_000
    books = ["9780306406157", "9783161484100", "9780131103627", "9780262033848", "9780201633610",
            "9781449355739", "9780596007126", "9780132350884", "9780134685991", "9781491950357",
            "9780321125217", "9780137081073", "9780735619678"]  # fmt: skip
    state = _state("pattern", values=books, unique=True)
    for text in _draw("pattern", state, np.arange(500)).to_pylist():
        digits = [int(c) for c in text]
        assert sum(d * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10 == 0


def _number(i: int, width: int) -> str:
    return f"{(i + 1) * 48_271_733 % (10**width - 7) + 3:0{width}}"[-width:]


def _eleven(number: str) -> str:
    total = sum((10 - i) * int(c) for i, c in enumerate(number))
    return "0123456789X"[-total % 11]


_CODES = {
    "isbn10": (lambda i: "-".join(["0", (n := _number(i, 8))[:3], n[3:], _eleven(
        "0" + n)]), isbn.is_valid),
    "issn": (lambda i: (n := _number(i, 7))[:4] + "-" + n[4:] + issn.calc_check_digit(n),
             issn.is_valid),
    "lei": (lambda i: (n := f"5299AB{_number(i, 12)}") + mod_97_10.calc_check_digits(n),
            lei.is_valid),
    "creditor": (lambda i: f"RF{mod_97_10.calc_check_digits((n := _number(i, 12)) + 'RF')}{n}",
                 iso11649.is_valid),
    "belgian": (lambda i: f"+++{(n := _number(i, 10))[:3]}/{n[3:7]}/{n[7:]}{int(n) % 97 or 97:02}+++",
                lambda text: int(text[3:6] + text[7:11] + text[12:15]) % 97 == int(text[15:17]) % 97),
    "seven": (lambda i: (n := _number(i, 7)) + f"{97 - int(n) % 97:02}",
              lambda text: 97 - int(text[:-2]) % 97 == int(text[-2:])),
}  # fmt: skip


@pytest.mark.parametrize("name", _CODES)
def test_check_digits_of_every_kind_are_kept(name: str) -> None:
    """The real codes are right by python-stdnum, or by the definition; so are the drawn ones."""
    made, holds = _CODES[name]
    real = [made(i) for i in range(200)]
    assert all(map(holds, real))
    drawn = _draw("pattern", _state("pattern", values=real, unique=True), np.arange(20_000))
    assert all(map(holds, drawn.to_pylist()))
    assert pc.count_distinct(drawn).as_py() == 20_000
    assert len(set(drawn.to_pylist()) & set(real)) < 20_000 / 100


def test_numbers_of_codes_keep_their_check_digits() -> None:
    real = [int(_luhn(_number(i, 7))) for i in range(100)]
    drawn = _draw("digits", _state("digits", values=real, unique=True), np.arange(50_000))
    assert all(luhn_holds(f"{number:013}") for number in drawn.to_pylist())
    assert pc.count_distinct(drawn).as_py() == 50_000
    wrong = _draw("digits", _state("digits", values=list(range(1, 400, 3))), np.arange(1_000))
    assert not all(luhn_holds(f"{number:013}") for number in wrong.to_pylist())
