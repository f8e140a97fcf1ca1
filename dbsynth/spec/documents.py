"""YAML files as plain values and the line of every entry.

A file is somebody's word, but may be anybody's: it creates no objects, names no entry twice, and
does not unfold to more than it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dbsynth.errors import MissingFile, SpecError

_MOST_CHARACTERS = 2**25
_MOST_NODES = 5_000_000  # when all aliases are written out
_DEEPEST = 50


@dataclass(frozen=True)
class Document:
    """A file that was read.

    Attributes:
        lines: The line of each entry by its path, from 1.
    """

    value: Any = None
    lines: Mapping[tuple[str | int, ...], int] = field(default_factory=dict)


def read_document(path: Path) -> Document:
    """Read a file.

    Raises:
        SpecError: It is missing, or not a YAML mapping without repeated names.
    """
    return parse_document(text_of(path), str(path))


def text_of(path: Path) -> str:
    """The text of a file, its line ends as they are.

    Raises:
        MissingFile: It is missing.
        SpecError: It is no text.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read(_MOST_CHARACTERS + 1)
    except FileNotFoundError:
        raise MissingFile(
            f"there is no spec file `{path}`", hint="write one with `dbsynth init`"
        ) from None
    except (UnicodeDecodeError, OSError):
        raise SpecError(
            f"`{path}` is not readable YAML", hint="it has to be a file of text in UTF-8"
        ) from None
    if len(text) > _MOST_CHARACTERS:
        raise SpecError(f"`{path}` is too large for a spec", hint="name the file that `init` wrote")
    return text


def parse_document(text: str, name: str) -> Document:
    """The same of a text; ``name`` is what an error calls it."""
    node = compose(text, name)
    if not isinstance(node, yaml.MappingNode):
        raise SpecError(f"`{name}` holds no mapping", hint="write a new one with `dbsynth init`")
    twice = [f"line {line}: `{key}` stands twice" for key, line in _repeated(node, set())]
    if twice:
        raise SpecError("; ".join(twice), hint="strike or rename one of the two")
    loader = yaml.SafeLoader("")
    try:
        value = loader.construct_document(node)
    except (yaml.YAMLError, ValueError, TypeError, OverflowError) as error:
        raise _unreadable(error, name) from None
    finally:
        loader.dispose()
    return Document(value, dict(_lines(node, ())))


def compose(text: str, name: str) -> yaml.Node | None:
    """The nodes of a text, which do not unfold to too many.

    Raises:
        SpecError: It is no YAML, or it does.
    """
    try:
        node = yaml.compose(text.removeprefix("\ufeff"), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise _unreadable(error, name) from None
    if node is not None and _unfolded(node, {}, 0) > _MOST_NODES:
        raise SpecError(
            f"`{name}` unfolds to more than a spec can say",
            hint="write out what its aliases stand for",
        )
    return node


def _unreadable(error: Exception, name: str) -> SpecError:
    mark = getattr(error, "problem_mark", None)
    where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
    return SpecError(
        f"`{name}` is not readable YAML{where}",
        hint="mend the file there; names with special characters belong in quotes",
    )


def _unfolded(node: yaml.Node, known: dict[int, int], depth: int) -> int:
    """How many nodes there are when all aliases are written out; too many where they circle."""
    if id(node) in known:
        return known[id(node)]
    if depth > _DEEPEST:
        return _MOST_NODES + 1
    known[id(node)] = _MOST_NODES + 1  # for whoever comes back here
    known[id(node)] = 1 + sum(_unfolded(inner, known, depth + 1) for inner in _inside(node))
    return known[id(node)]


def _inside(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _repeated(node: yaml.Node, seen: set[int]) -> Iterator[tuple[str, int]]:
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        names: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                name = (key.tag, key.value)
                if name in names:
                    yield key.value, key.start_mark.line + 1
                names.add(name)
    for inner in _inside(node):
        yield from _repeated(inner, seen)


def _lines(node: yaml.Node, path: tuple[str | int, ...]) -> Iterator[tuple[Any, int]]:
    """The line of every entry, where merged entries stand in place of their aliases."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield (*path, key.value), key.start_mark.line + 1
                yield from _lines(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for place, value in enumerate(node.value):
            yield (*path, place), value.start_mark.line + 1
            yield from _lines(value, (*path, place))
