"""Options and arguments that several commands share."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

import dbsynth
from dbsynth.errors import SpecError
from dbsynth.progress import Progress, Silent

F = TypeVar("F", bound=Callable[..., Any])

_SQLITE = b"SQLite format 3\x00"


def together(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Several decorators as one, the first outermost."""

    def apply(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
spec_option = click.option(
    "--spec", "spec_path", type=click.Path(path_type=Path), help="A reviewed dbsynth.yaml."
)
scale_option = click.option("--scale", type=click.FloatRange(0), help="Factor on numbers of rows.")
seed_option = click.option("--seed", type=click.IntRange(0), help="Same seed, same bytes.")
build_options = together(
    scale_option,
    seed_option,
    click.option("--replace", is_flag=True, help="Replace a target that holds tables."),
    click.option(
        "--processes", type=click.IntRange(1, 64), default=1, show_default=True,
        help="Processes that generate rows; the outcome is the same.",
    ),
)  # fmt: skip
explain_option = click.option(
    "--explain", is_flag=True, help="Say what let a real value through, where the gate finds one."
)
strict_option = click.option(
    "--strict", flag_value="stop", help="Fail where drawn rows break a rule, as for a constraint."
)
engine_option = click.option("--engine", help="Method of fitting.")


def read_spec(path: Path | None, *, without: tuple[str, ...] = (), **said: Any) -> dbsynth.Spec:
    """The spec of a file (or the empty one) with what the command line says on top.

    Args:
        path: The file.
        without: Entries of the file that this command does not need.
        said: What the command line says; None where it says nothing.
    """
    known = {name: value for name, value in said.items() if value is not None}
    if path is None:
        return dbsynth.Spec.parse({}, os.environ, said=known)
    return dbsynth.Spec.load(path, os.environ, said=known, without=(*without, *known))


def source_and_spec(
    argument: str | None, path: Path | None, *, without: tuple[str, ...] = (), **said: Any
) -> tuple[str, dbsynth.Spec]:
    """The source and the spec; the argument is a URL, or a spec file that names one."""
    if argument and "://" not in argument:
        if path is not None:
            raise SpecError(
                f"`{argument}` is no URL",
                hint="write postgresql://user@host/database or sqlite:///file.db",
            )
        path, argument = _spec_file(argument), None
    spec = read_spec(path, without=without, source=argument, **said)
    if not spec.source:
        raise SpecError("no source is given", hint="name a URL, or set `source` in the spec")
    return spec.source, spec


def _spec_file(argument: str) -> Path:
    path = Path(argument)
    if path.is_file():
        with path.open("rb") as file:
            if file.read(len(_SQLITE)) == _SQLITE:
                raise SpecError(
                    f"`{argument}` is an SQLite file, not a spec",
                    hint=f"write it as a URL: sqlite:///{argument}",
                )
    return path


@contextmanager
def progress(*, quiet: bool) -> Iterator[Progress]:
    """Bars where stderr is a terminal, else silence; taken down however the command ends."""
    shown: Progress = Silent()
    if not quiet and sys.stderr.isatty():
        # Here, because the library for terminals takes longer to import than most commands run.
        shown = importlib.import_module("dbsynth.cli.bars").Bars()
    try:
        yield shown
    finally:
        shown.done()
