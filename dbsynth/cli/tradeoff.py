"""dbsynth tradeoff."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

import dbsynth
from dbsynth.cli import options, output
from dbsynth.files import write_text

if TYPE_CHECKING:
    from dbsynth.tradeoffs import Tradeoff

_TITLES = {
    "columns": "columns", "pairs": "pairs", "families": "with parents", "children": "children",
}  # fmt: skip


class _Epsilons(click.ParamType[tuple[float, ...]]):
    """Numbers with commas between."""

    name = "numbers"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """The numbers."""
        try:
            return tuple(float(part) for part in value.split(","))
        except ValueError:
            self.fail(f"`{value}` are no numbers with commas between", param, ctx)


@click.command()
@click.argument("source", required=False)
@click.option(
    "--epsilons", type=_Epsilons(), default="0.1,0.3,1,3,10", show_default=True,
    help="The budgets to try, with commas between.",
)  # fmt: skip
@click.option(
    "--picture",
    "picture_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw it into this SVG file.",
)
@options.spec_option
@options.seed_option
@options.json_option
@options.quiet_option
def tradeoff(
    source: str | None, epsilons: tuple[float, ...], picture_path: Path | None,
    spec_path: Path | None, seed: int | None, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Weigh utility against epsilon for SOURCE (a URL or a spec file).

    Models are fitted on half of the entities of `privacy.unit` with all rows that they own, with
    differential privacy at each epsilon and without. Their rows are judged by the other half,
    which no model has seen. Nothing is written to a database and no budget is charged, so what is
    printed is as confidential as the source.

    Example: dbsynth tradeoff dbsynth.yaml --picture tradeoff.svg
    """
    url, spec = options.source_and_spec(source, spec_path, without=("target",), seed=seed)
    with options.progress(quiet=quiet) as shown:
        found = dbsynth.tradeoff(url, spec=spec, epsilons=epsilons, progress=shown)
    if picture_path is not None:
        _draw(found, picture_path)
    if as_json:
        output.put_json(found.to_json())
    else:
        output.put("\n".join(_text(found)))


def _draw(found: Tradeoff, path: Path) -> None:
    from dbsynth.tradeoffs.picture import picture

    write_text(path, picture(found))


def _text(found: Tradeoff) -> Iterator[str]:
    from dbsynth.tradeoffs import WARNING

    yield output.plain(
        f"{found.unit}: {found.shown:,} entities shown, {found.held_out:,} kept aside to judge;"
        f" {sum(map(len, found.columns.values()))} columns of {', '.join(found.columns)}"
    )
    budget = "1 fit" if found.fits == 1 else f"{found.fits} fits"
    yield f"budget of {budget}, delta {found.delta:g}"
    yield ""
    header = ("rows of", "epsilon", "utility", *_TITLES.values(), "accuracy", "seconds")
    rows = []
    for line in found.lines:
        epsilon = "" if line.epsilon is None else f"{line.epsilon:g}"
        figures = [
            "refused" if line.refused else _share(line.utility),
            *(_share(line.parts.get(kind)) for kind in _TITLES),
            _share(line.accuracy),
        ]
        seconds = f"{line.seconds:.1f}" if line.parts and line.seconds else ""
        rows.append((line.engine, epsilon, *figures, seconds))
    yield output.table(header, rows, frozenset(range(1, 9)))
    yield ""
    for line in found.lines:
        if line.refused:
            yield output.plain(f"refused: {line.refused}")
    yield (
        "utility: 1 - total variation distance to the rows kept aside, the mean of single columns,"
        " pairs in a row, columns with the parent's, and numbers of children"
    )
    if any(line.accuracy is not None for line in found.lines):
        yield (
            "accuracy: of classifiers that the rows have taught, on the rows kept aside; the mean"
            " over tables with a column of few classes"
        )
    elif find_spec("sklearn") is None:
        yield "accuracy: not measured without scikit-learn (pip install 'dbsynth[utility]')"
    yield "real: the rows shown themselves, which no engine can be expected to beat"
    if not found.private:
        yield "NOT PRIVATE: the noise has a seed"
    yield WARNING


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
