"""Values that stand for nobody: 0 for no account, a dash for no phone number.

They stand in a column of identities as NULL would, and many rows share them.  So they tell of
nobody, and keep their place and their share instead of being given to somebody.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from dbsynth.codec import as_text, k_threshold

_BLANK = re.compile(
    r"""\s*|[-.?*_/#]+|0+([.,]0+)?|-1|9{3,}|x{2,}
    |n\.?\s?[/.]?\s?[ad]\.?|none|null|nil|nan|nul|unknown|undefined|unspecified|missing|empty|blank
    |not\s(available|applicable|known|given|specified|provided|set|assigned)|no\s(data|value|entry)
    |tb[adc]|to\sbe\s(determined|announced)|unbekannt|keine?|ohne|inconnu|aucun|desconocido|ninguno""",
    re.IGNORECASE | re.VERBOSE,
)
_LONGEST = 20
_HEAVY = 0.02  # of the values that are there


def blanks_of(values: pa.Array, rows: int) -> tuple[str, ...]:
    """The values of a column, as text, that mean "none" and stand in a good part of its rows.

    Args:
        values: A sample, of text or numbers.
        rows: Number of rows of the whole table.
    """
    type_ = values.type
    if not (pa.types.is_string(type_) or pa.types.is_integer(type_) or pa.types.is_floating(type_)):
        return ()
    present = values.drop_null()
    counted = pc.value_counts(present)
    least = max(k_threshold(rows), _HEAVY * len(present))
    heavy = counted.filter(pc.greater_equal(counted.field("counts"), least)).field("values")
    found = [str(text) for text in as_text(heavy).to_pylist()]
    return tuple(sorted(t for t in found if len(t) <= _LONGEST and _BLANK.fullmatch(t.strip())))


def without(values: pa.Array, blanks: tuple[str, ...]) -> pa.Array:
    """The values with NULL in place of blanks."""
    if not blanks:
        return values
    blank = pc.is_in(as_text(values), pa.array(blanks, pa.string()))
    return pc.if_else(blank, pa.scalar(None, values.type), values)
