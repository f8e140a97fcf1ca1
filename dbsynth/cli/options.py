"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import contextmanager
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from dbsynth.cli.output import progress_for
from dbsynth.errors import SpecError
from dbsynth.progress import Progress
from dbsynth.spec import Spec

F = TypeVar("F", bound=Callable[..., Any])


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
seed_option = click.option("--seed", type=click.IntRange(0), help="Same seed, same bytes.")
build_options = together(
    click.option("--scale", type=click.FloatRange(0), help="Factor on the number of rows."),
    seed_option,
    click.option("--replace", is_flag=True, help="Replace a target that holds tables."),
    click.option(
        "--processes", type=click.IntRange(1, 64), default=1, show_default=True,
        help="Processes that generate rows.",
    ),
)  # fmt: skip
engine_option = click.option("--engine", help="Method of fitting.")


def read_spec(path: Path | None, **said: Any) -> Spec:
    """The spec of a file (or the empty one) with what the command line says on top."""
    spec = Spec.load(path, os.environ) if path else Spec()
    known = {name: value for name, value in said.items() if value is not None}
    if "engine" in known:
        spec = Spec.parse({"engine": known.pop("engine")}, {}) if path is None else replace(
            spec, engine=Spec.parse({"engine": known.pop("engine")}, {}).engine
        )
    return replace(spec, **known)


def source_and_spec(argument: str | None, path: Path | None, **said: Any) -> tuple[str, Spec]:
    """The source URL, from the argument or from the spec; the argument may be a spec file itself."""
    if argument and "://" not in argument and path is None:
        path, argument = Path(argument), None
    spec = read_spec(path, **said)
    source = argument or spec.source
    if not source:
        raise SpecError("no source is given", hint="name a URL, or set `source` in the spec")
    return source, spec


@contextmanager
def progress(*, quiet: bool) -> Iterator[Progress]:
    """Progress that is taken down however the command ends."""
    shown = progress_for(wanted=not quiet)
    try:
        yield shown
    finally:
        shown.done()
