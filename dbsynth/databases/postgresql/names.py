"""Names and literals as PostgreSQL writes them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from dbsynth.schema import Table

IDENTIFIER_LIMIT = 63

# A string literal, a quoted name, or a bare word.
_TOKEN = re.compile(r"'(?:[^']|'')*'|(?P<quoted>\"(?:[^\"]|\"\")*\")|(?P<word>[^\W\d][\w$]*)")


def quote(name: str) -> str:
    """A name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a string literal."""
    body = text.replace("'", "''")
    return f" E'{body.replace(chr(92), chr(92) * 2)}'" if "\\" in body else f"'{body}'"


def qualified(table: Table) -> str:
    """A table's name, quoted, with its namespace."""
    return f"{quote(table.namespace or 'public')}.{quote(table.bare)}"


def column_list(columns: Iterable[str]) -> str:
    """Quoted names between commas."""
    return ", ".join(map(quote, columns))


def cut(name: str, suffix: str) -> str:
    """A name with a suffix, cut at a character's boundary to what the server keeps of a name.

    A digest of the whole name stands for what is cut off, so that different names stay different.
    """
    if len((name + suffix).encode()) <= IDENTIFIER_LIMIT:
        return name + suffix
    suffix = f"~{hashlib.sha256(name.encode()).hexdigest()[:8]}{suffix}"
    room = IDENTIFIER_LIMIT - len(suffix.encode())
    return name.encode()[:room].decode(errors="ignore") + suffix


def mentioned(sql: str, columns: Iterable[str]) -> tuple[str, ...]:
    """Those of the columns that an expression, as the catalog prints it, mentions."""
    words = set()
    for token in _TOKEN.finditer(sql):
        before, after = sql[: token.start()], sql[token.end() :]
        if before.endswith((".", "::")) or after.startswith(("(", ".")):
            continue
        if token["quoted"]:
            words.add(token["quoted"][1:-1].replace('""', '"'))
        elif token["word"]:
            words.add(token["word"])
    return tuple(name for name in columns if name in words)


def replace_word(sql: str, word: str, by: str) -> str:
    """An expression with every bare word (no literal, no quoted name) replaced."""
    return _TOKEN.sub(lambda token: by if token["word"] == word else token[0], sql)
