"""The model file: portable, versioned, no program, and a list of all that it contains."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import dbsynth
from dbsynth.cli import run
from dbsynth.errors import ModelError
from dbsynth.inventory import inspect
from dbsynth.model import FORMAT, load_model

ROWS = 400


def canary(*path: object) -> str:
    """Ten letters that occur nowhere else."""
    digest = hashlib.sha256(repr(path).encode()).digest()
    return "".join(chr(97 + byte % 26) for byte in digest[:10])


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """People with canaries in every column that a model must not keep, and some that it may."""
    path = tmp_path_factory.mktemp("model") / "source.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE sort (code TEXT PRIMARY KEY, label TEXT);"
            "CREATE TABLE person (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT, city TEXT,"
            " plan TEXT, salary INTEGER, born DATE, note TEXT);"
            "CREATE TABLE visit (id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES"
            " person (id), sort TEXT REFERENCES sort (code), cost REAL, token TEXT);"
            "INSERT INTO sort VALUES ('a', 'first'), ('b', 'second');"
        )
        connection.executemany(
            "INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    7_000_001 + 13 * i, f"{canary('mail', i)}@{canary('host', i)}.org",
                    f"{canary('first', i).title()} {canary('last', i).title()}",
                    "Springfield" if i % 50 else canary("city", i), ("basic", "gold")[i % 3 == 0],
                    987_654_321 if i == 7 else 1_000 + 7 * i, f"19{50 + i % 40}-0{1 + i % 9}-11",
                    f"{canary('note', i)} said {canary('word', i)}",
                )
                for i in range(ROWS)
            ],
        )  # fmt: skip
        connection.executemany(
            "INSERT INTO visit VALUES (?, ?, ?, ?, ?)",
            [
                (i, 7_000_001 + 13 * (i * i % ROWS), "ab"[i % 2], 0.37 + i, canary("token", i) * 3)
                for i in range(1, 4 * ROWS)
            ],
        )
        connection.commit()
    return path


@pytest.fixture(scope="module")
def saved(source: Path) -> Path:
    path = source.with_name("model.dbsynth")
    dbsynth.fit(f"sqlite:///{source}", path)
    return path


def unpacked(path: Path) -> bytes:
    """All bytes of a model, those of its inner archives too."""
    found = b""
    with zipfile.ZipFile(path) as file:
        for name in file.namelist():
            data = file.read(name)
            found += data
            if name.startswith("engine/"):
                with zipfile.ZipFile(io.BytesIO(data)) as inner:
                    found += b"".join(inner.read(part) for part in inner.namelist())
    return found


def test_no_canary_is_in_a_model(saved):
    data = unpacked(saved).lower()
    wide = [w for kind in ("mail", "host", "first", "last", "note", "word") for w in [kind]]
    secrets = [canary(kind, i) for kind in wide for i in range(ROWS)]
    secrets += [canary("token", i) for i in range(4 * ROWS)]
    secrets += [canary("city", i) for i in range(0, ROWS, 50)] + ["987654321"]
    leaked = [
        s for s in secrets
        if s.encode() in data or s.encode("utf-32-le") in data or s.encode().hex().encode() in data
    ]  # fmt: skip
    assert leaked == []
    assert b"springfield" in data  # what may be there is there, so the search works


def test_the_list_says_what_is_stored(saved, source):
    found = inspect(saved)
    tables = {table.name: table for table in found.tables}
    person = {column.name: column for column in tables["person"].columns}
    assert tables["sort"].strategy == "copy"
    assert tables["sort"].copied_bytes > 0
    assert any("`sort` is copied: its 2 rows" in line for line in found.confidential)
    assert any("a vocabulary of real values: 2" in line for line in person["plan"].holds)
    assert any("no extreme is exact" in line for line in person["salary"].holds)
    assert any("real values to avoid" in line for line in person["name"].holds)
    assert any("smallest and the largest real number, exactly" in s for s in person["id"].holds)
    assert any("`person.id`" in line for line in found.attention)
    assert tables["person"].smallest_leaf >= 5
    assert tables["visit"].trees > 0
    assert any(key.name == "visit(person_id) -> person" for key in found.keys)
    assert found.bytes == saved.stat().st_size
    with zipfile.ZipFile(saved) as file:
        assert set(found.members) == set(file.namelist())
        document = json.loads(file.read("model.json"))
    # Nothing of the document goes without mention: every column and key is in the list.
    assert {(t, c) for t, facts in document["tables"].items() for c in facts["columns"]} <= {
        (t.name, c.name) for t in found.tables for c in t.columns
    } | {("sort", c) for c in document["tables"]["sort"]["columns"]}
    assert len(found.keys) == len(document["degrees"])
    del source


def test_inspect_shows_no_stored_value(saved, capsys):
    assert run(["inspect", str(saved)]) == 0
    text = capsys.readouterr().out
    assert run(["inspect", str(saved), "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["ok"] is True
    assert value["format"] == FORMAT
    for shown in (text, json.dumps(value)):
        assert "Springfield" not in shown
        assert "gold" not in shown
        assert "987654321" not in shown
    assert "person: synthesised from 400 rows" in text
    assert "sort: copied whole, 2 rows" in text
    assert "not in the file:" in text


def test_a_model_loads_in_another_process(saved, tmp_path):
    script = (
        "import sys, dbsynth; from pathlib import Path\n"
        "dbsynth.load(Path(sys.argv[1]), sys.argv[2], source=None)"
    )
    dumps = []
    for hash_seed in ("1", "4711"):
        target = tmp_path / f"{hash_seed}.db"
        subprocess.run(
            [sys.executable, "-c", script, saved, f"sqlite:///{target}"],
            check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=tmp_path,
        )
        with closing(sqlite3.connect(target)) as connection:
            dumps.append(list(connection.iterdump()))
    assert dumps[0] == dumps[1]


# ---------------------------------------------------------------------------------------------
# Files that are none of ours
# ---------------------------------------------------------------------------------------------


def rewritten(saved: Path, path: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """A copy of a model with other parts; None leaves one out."""
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = change(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
    return path


def in_document(change: Callable[[dict], object]) -> Callable[[str, bytes], bytes]:
    def changed(name: str, data: bytes) -> bytes:
        if name != "model.json":
            return data
        document = json.loads(data)
        change(document)
        return json.dumps(document).encode()

    return changed


def in_arrays(change: Callable[[dict], object]) -> Callable[[str, bytes], bytes]:
    def changed(name: str, data: bytes) -> bytes:
        if not name.startswith("engine/"):
            return data
        with np.load(io.BytesIO(data)) as file:
            arrays = dict(file)
        change(arrays)
        sink = io.BytesIO()
        np.savez(sink, **arrays)
        return sink.getvalue()

    return changed


def circle(arrays: dict) -> None:
    """A tree whose walk never ends."""
    nodes = arrays["nodes"].copy()
    inner = np.flatnonzero(nodes[:, 0] >= 0)
    assert len(inner)
    nodes[inner, 2:] = 0
    arrays["nodes"] = nodes


def beyond(arrays: dict) -> None:
    """A tree that points outside of its leaves."""
    nodes = arrays["nodes"].copy()
    nodes[nodes[:, 0] < 0, 2] = 2**30
    arrays["nodes"] = nodes


def torn(arrays: dict) -> None:
    """Parts that are longer together than what there is."""
    arrays["maps.sizes"] = arrays["maps.sizes"] + 1


def nameless(arrays: dict) -> None:
    """A tree without a target."""
    sizes = arrays["names.sizes"].copy()
    sizes[0] = 0
    arrays["names"], arrays["names.sizes"] = arrays["names"][arrays["names.sizes"][0] :], sizes


def huge_header(name: str, data: bytes) -> bytes:
    """An array that claims an exabyte."""
    if not name.startswith("engine/"):
        return data
    sink, header = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<i8", "fortran_order": False, "shape": (2**57,)}
    )
    with zipfile.ZipFile(sink, "w") as file:
        file.writestr("count.npy", header.getvalue())
    return sink.getvalue()


def objects(name: str, data: bytes) -> bytes:
    """An array of pickled objects."""
    if not name.startswith("engine/"):
        return data
    sink, array = io.BytesIO(), io.BytesIO()
    np.save(array, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(sink, "w") as file:
        file.writestr("count.npy", array.getvalue())
    return sink.getvalue()


HOSTILE = {
    "no document": lambda name, data: None if name == "model.json" else data,
    "no structure": lambda name, data: None if name == "structure" else data,
    "no JSON": lambda name, data: b"{" if name == "model.json" else data,
    "deep JSON": lambda name, data: b"[" * 200_000 if name == "model.json" else data,
    "a list": lambda name, data: b"[1]" if name == "model.json" else data,
    "a number": lambda name, data: b"7" if name == "model.json" else data,
    "no format": in_document(lambda d: d.pop("format")),
    "no tables": in_document(lambda d: d.pop("tables")),
    "tables of a wrong kind": in_document(lambda d: d.update(tables=[1])),
    "a key that is not there": in_document(lambda d: d["plan"].update(dealt=[99])),
    "an unknown engine": in_document(lambda d: d.update(engine="os.system")),
    "an unknown kind": in_document(
        lambda d: d["schema"]["tables"][0]["columns"][0].update(kind="eval")
    ),
    "a circle": in_arrays(circle),
    "a leaf that is not there": in_arrays(beyond),
    "torn parts": in_arrays(torn),
    "a tree without a target": in_arrays(nameless),
    "a huge header": huge_header,
    "pickled objects": objects,
    "no arrays": lambda name, data: b"PK" if name.startswith("engine/") else data,
    "no Arrow": lambda name, data: b"ARROW1" if name.startswith("copied/") else data,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_damaged_or_hostile_file_is_one_clear_error(what, saved, tmp_path, capsys):
    path = rewritten(saved, tmp_path / "bad.dbsynth", HOSTILE[what])
    with pytest.raises(ModelError, match="is not a readable model") as raised:
        load_model(path)
    assert raised.value.hint == "fit it again"
    assert run(["inspect", str(path)]) == 1
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "copied/../../evil", "engine/x", "a"])
def test_parts_with_strange_names_are_refused(name, saved, tmp_path):
    path = rewritten(saved, tmp_path / "bad.dbsynth", lambda _, data: data)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(name, b"evil")
    with pytest.raises(ModelError, match="is not a readable model"):
        load_model(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.dbsynth"]


@pytest.mark.parametrize("end", [0, 10, 1_000, -30])
def test_a_file_cut_short_is_one_clear_error(end, saved, tmp_path):
    path = tmp_path / "cut.dbsynth"
    path.write_bytes(saved.read_bytes()[:end])
    with pytest.raises(ModelError, match="is not a readable model"):
        load_model(path)


def _body(data, header):
    """Where a part begins, whose header tells the lengths of its name and of what follows that."""
    lengths = struct.unpack_from("<HH", data, header + 26)
    return header + 30 + sum(lengths)


def test_flipped_bytes_are_noticed(saved, tmp_path):
    data = bytearray(saved.read_bytes())
    # Nobody reads the header in front of each part, nor the mark that ends the part before.
    with zipfile.ZipFile(saved) as file:
        heads = [range(i.header_offset - 2, _body(data, i.header_offset)) for i in file.infolist()]
        end = file.start_dir
    for place in range(1_000, end, len(data) // 40):
        if any(place in head for head in heads):
            continue
        flipped = bytearray(data)
        flipped[place] ^= 0xFF
        path = tmp_path / "flipped.dbsynth"
        path.write_bytes(flipped)
        with pytest.raises(ModelError, match="is not a readable model"):
            load_model(path)


@pytest.mark.parametrize(
    ("version", "what"), [(FORMAT + 1, "a newer"), (0, "another"), ("x", "another")]
)
def test_another_format_is_named(version, what, saved, tmp_path):
    path = rewritten(
        saved, tmp_path / "other.dbsynth", in_document(lambda d: d.update(format=version))
    )
    with pytest.raises(ModelError, match=f"a model of {what} format"):
        load_model(path)
