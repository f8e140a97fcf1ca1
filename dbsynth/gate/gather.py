"""The values of the source that must not come back, gathered as salted hashes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.classify import without
from dbsynth.codec import as_text
from dbsynth.databases.base import Database
from dbsynth.gate import table as kinds
from dbsynth.gate.reserved import unreserved
from dbsynth.gate.subjects import Subject
from dbsynth.gate.table import Table, kinds_of, new_table, of_column
from dbsynth.gate.texts import Bool, read
from dbsynth.gate.watch import Watcher, in_order
from dbsynth.model import Model
from dbsynth.randomness import UInt64

Int64 = npt.NDArray[np.int64]

SHORTEST = 4  # marks; shorter values say too little to be a leak
MOST_MARKS = 32  # longer values count as so long
KINDS = 5
_ROAMING = np.zeros(KINDS, np.int64)  # marks by which a value is known wherever it stands
_ROAMING[[kinds.NUMBER, kinds.MIXED, kinds.WORD, kinds.WORDS, kinds.SURE]] = 7, 6, 6, 8, 6
_TRUNKS = (1, 2, 3)  # digits of a country's code
_LEAST_LOCAL = 9  # digits of a telephone number without it
_TELEPHONE = 11  # digits with it
ANYWHERE = -1  # the number of no subject


@dataclass
class Held:
    """What of the source is held at a time.

    Attributes:
        numbers: Of subjects, and `ANYWHERE`: how many different values there are, by what they are
            and how many marks they have; (kinds, marks).
    """

    table: Table
    numbers: dict[int, Int64] = field(default_factory=dict)

    def put(
        self, subject: int, hashes: UInt64, facts: npt.NDArray[np.int32], wanted: Bool,
        under: int,
    ) -> None:  # fmt: skip
        """Take the wanted of some described values in.

        Args:
            under: The subject in whose column alone they count, or `ANYWHERE`.
        """
        what = kinds_of(facts)[wanted]
        found = hashes[wanted] if under == ANYWHERE else of_column(hashes[wanted], under)
        new = self.table.put(found, subject, what)
        count(self.numbers.setdefault(under, no_numbers()), what[new], facts[wanted][new, 0])


def no_numbers() -> Int64:
    """Counts by kind and number of marks, all nought."""
    return np.zeros((KINDS, MOST_MARKS), np.int64)


def count(numbers: Int64, what: Int64, marks: npt.NDArray[np.int32]) -> None:
    """Count values in, in place."""
    at = what * MOST_MARKS + np.minimum(marks, MOST_MARKS - 1)
    numbers += np.bincount(at, minlength=numbers.size)[: numbers.size].reshape(numbers.shape)


def gathered(
    source: Database, model: Model, subjects: Sequence[Subject], most: int,
    watchers: Sequence[Watcher] = (),
) -> Iterator[Held]:  # fmt: skip
    """All values of the subjects, so many at a time, in one pass over the source.

    Args:
        watchers: Who else wants to see the rows of the source.
    """
    held = Held(new_table())
    for table in in_order(model):
        mine = {i: s for i, s in enumerate(subjects) if s.table == table.name}
        own = sorted({name for subject in mine.values() for name in subject.columns})
        blanks = {n: model.tables[table.name].columns[n].blanks for n in own}
        others = [w.columns(table) for w in watchers]
        columns = sorted({*own, *(name for wanted in others for name in wanted)})
        for batch in source.scan(table, columns) if columns else ():
            whole = dict(zip(columns, batch.columns, strict=True))
            values = {n: without(whole[n], blanks[n]) for n in own}
            for number, subject in mine.items():
                _take(held, model, number, subject, values)
            for watcher, wanted in zip(watchers, others, strict=True):
                if wanted:
                    watcher.look(table, whole)
            if held.table.count > most:
                yield held
                held = Held(new_table())
    yield held


def _take(
    held: Held, model: Model, number: int, subject: Subject, values: Mapping[str, pa.Array]
) -> None:
    forms = list(_forms(model, subject, values))
    if subject.part is None:
        texts = read(unreserved(forms[0]) if subject.direct else forms[0])
        hashes, facts = texts.described(held.table.salt)
        sure = subject.roaming & (kinds_of(facts) == kinds.SURE)  # found anywhere: also here
        held.put(number, hashes, facts, (facts[:, 0] >= SHORTEST) & ~sure, number)
    for form in forms if subject.roaming else ():
        texts = read(unreserved(form))
        hashes, facts = texts.described(held.table.salt)
        long = (facts[:, 0] >= _ROAMING[kinds_of(facts)]) & (facts[:, 0] <= kinds.LONGEST)
        held.put(number, hashes, facts, long, ANYWHERE)
        held.table.searchable(texts, long)


def _forms(model: Model, subject: Subject, values: Mapping[str, pa.Array]) -> Iterator[pa.Array]:
    """The values of a subject, and other ways of writing them."""
    columns = [values[name] for name in subject.columns]
    if subject.part is not None:
        structure = model.tables[subject.table].columns[subject.columns[0]].structure
        assert structure is not None
        yield as_text(structure.split(columns[0], frozenset({subject.part}))[subject.part].array)
        return
    if len(columns) > 1:
        texts = [as_text(column) for column in columns]
        yield pc.binary_join_element_wise(*texts, " ")
        yield pc.binary_join_element_wise(*reversed(texts), " ")
        return
    yield columns[0]
    provider = model.tables[subject.table].columns[subject.columns[0]].decision.provider
    if provider == "full_name":
        yield pc.replace_substring_regex(as_text(columns[0]), r"^(\S+?),?\s+(\S+)$", r"\2 \1")
    if provider == "phone":
        yield from _local(as_text(columns[0]))


def _local(texts: pa.Array) -> Iterator[pa.Array]:
    """Telephone numbers without the code of their country, of whose length nothing is known."""
    digits = pc.replace_substring_regex(texts, r"\D|^0+", "")
    whole = pc.greater_equal(pc.utf8_length(digits), _TELEPHONE)
    for trunk in _TRUNKS:
        local = pc.utf8_slice_codeunits(digits, trunk)
        usable = pc.and_(whole, pc.greater_equal(pc.utf8_length(local), _LEAST_LOCAL))
        yield pc.if_else(usable, local, pa.scalar(None, local.type))
