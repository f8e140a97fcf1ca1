"""How fast invented values come, that they differ, and that the same seed gives the same bytes.

    make bench-identities [ROWS=10000000] [ONLY=email,iban]

For each provider: millions of unique values a second on one core, drawn in blocks as the loader
draws them; peak memory of the process that drew and compared them; how many of the values differ;
and whether a second run of single blocks, in another order, gives the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import queue
import resource
import time

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.codec import arrow_type
from dbsynth.generate import BLOCK_ROWS
from dbsynth.identifiers import PROVIDERS
from dbsynth.identifiers.places import place_of
from dbsynth.identifiers.traits import Traits
from dbsynth.schema import Column, Kind

_KINDS = {"digits": Kind.INTEGER, "coordinates": Kind.FLOAT, "bytes": Kind.BYTES}
IDENTITIES = (
    "first_name", "last_name", "full_name", "user_name", "email", "phone", "street_address", "city",
    "postcode", "company", "url", "national_id", "iban", "card", "plate", "ip", "mac", "uuid",
    "token", "pattern", "digits", "label", "coordinates",
)  # fmt: skip
_PLACES = ("en_US", "de_DE", "fr_FR", "pl_PL", "ja_JP")
_KEY = 20_26


def _drawer(name: str, mixed: bool):
    column = Column("x", _KINDS.get(name, Kind.TEXT), "text")
    none = pa.nulls(0, arrow_type(column))
    state = PROVIDERS[name].fit(column, none, unique=True, locale="en_US", k=5)
    places = tuple(place_of(place) for place in _PLACES)

    def draw(start: int, stop: int) -> pa.Array:
        index = np.arange(start, stop, dtype=np.uint64)
        if not mixed:
            return PROVIDERS[name].draw(state, index, key=_KEY)
        numbers = (index % np.uint64(len(places))).astype(np.int64)
        sexes = (index % np.uint64(2)).astype(np.int8)
        return PROVIDERS[name].draw_of(
            state, index, Traits(places, numbers, sexes, told=True, sexed=True), key=_KEY
        )

    return draw


def _measured(name: str, rows: int, mixed: bool) -> tuple[float, float, int, bool]:
    """Millions a second, peak GiB, repeated values, and whether blocks come again as they were."""
    draw = _drawer(name, mixed)
    draw(0, 10)
    blocks = [(at, min(at + BLOCK_ROWS, rows)) for at in range(0, rows, BLOCK_ROWS)]
    seen = np.empty(rows, np.uint64)
    digests, spent = {}, 0.0
    for start, stop in blocks:
        began = time.process_time()
        values = draw(start, stop)
        spent += time.process_time() - began
        texts = pc.utf8_lower(values) if pa.types.is_string(values.type) else values
        seen[start:stop] = _hashes(texts)
        digests[start] = hashlib.sha256(_bytes(values)).digest()
    seen.sort()
    repeated = int((seen[1:] == seen[:-1]).sum())
    again = reversed(blocks[:: max(len(blocks) // 5, 1)])
    same = all(
        hashlib.sha256(_bytes(draw(start, stop))).digest() == digests[start]
        for start, stop in again
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return rows / spent / 1e6, peak, repeated, same


def _bytes(values: pa.Array) -> bytes:
    return b"".join(bytes(part) for part in values.buffers() if part is not None)


def _hashes(values: pa.Array) -> np.ndarray:
    """64-bit hashes: of 10 million values two are equal by chance once in 370,000 runs."""
    return pl.from_arrow(values).hash(seed=1).to_numpy()


def _in_process(name: str, rows: int, mixed: bool, out) -> None:
    out.put(_measured(name, rows, mixed))


def _answer(out, process):
    while True:
        try:
            return out.get(timeout=1)
        except queue.Empty:
            if not process.is_alive():
                raise SystemExit("the process that draws has failed") from None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--only", default="")
    wanted = parser.parse_args()
    names = [name for name in IDENTITIES if not wanted.only or name in wanted.only.split(",")]
    print(f"{wanted.rows:,} unique values of each provider, one core")
    print(f"{'provider':<24}{'M/s':>8}{'peak GiB':>10}{'repeated':>10}  same bytes")
    context = multiprocessing.get_context("spawn")
    for name in names:
        for mixed in (False, True):
            if mixed and not hasattr(PROVIDERS[name], "draw_of"):
                continue
            out = context.Queue()
            process = context.Process(target=_in_process, args=(name, wanted.rows, mixed, out))
            process.start()
            rate, peak, repeated, same = _answer(out, process)
            process.join()
            title = f"{name}, 5 countries" if mixed else name
            print(f"{title:<24}{rate:>8.2f}{peak:>10.2f}{repeated:>10,}  {'yes' if same else 'NO'}",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
