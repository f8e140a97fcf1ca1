"""Values that are nobody's: ranges kept for documentation, tests and fiction.

Where a source holds such values (test accounts, examples) they may come back by chance.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_HOSTS = r"(example\.(com|org|net|edu)|[a-z0-9-]+\.(test|example|invalid|localhost)|localhost)"
_FORMS = (
    rf"@([a-z0-9-]+\.)*{_HOSTS}$",  # RFC 2606
    rf"^[a-z]+://([a-z0-9-]+\.)*{_HOSTS}([/:?#]|$)",
    r"555\D{0,2}01\d\d$",  # numbers of fiction in North America
    r"(01632\D?960\d{3}|07700\D?900\d{3}|020\D?7946\D?0\d{3})$",  # Ofcom's for drama
    r"^(192\.0\.2|198\.51\.100|203\.0\.113|127\.0\.0|0\.0\.0)\.\d+",  # RFC 5737
    r"^(2001:db8:|::1$|fe80:|f[cd][0-9a-f]{2}:)",  # RFC 3849 and 4193
    r"^(4242|5555|3782)\D?(4242|5555|822463)\D?(4242|5555|10005)\D?(4242|4444)?$",
)
_PATTERN = "(?i)" + "|".join(f"({form})" for form in _FORMS)


def unreserved(values: pa.Array) -> pa.Array:
    """The texts with NULL for all that is nobody's."""
    if not pa.types.is_string(values.type):
        return values
    kept = pc.invert(pc.fill_null(pc.match_substring_regex(values, _PATTERN), False))
    return pc.if_else(kept, values, pa.scalar(None, values.type))
