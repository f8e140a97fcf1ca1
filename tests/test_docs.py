"""The documentation says what the code does."""

from __future__ import annotations

import ast
import importlib
import re
import runpy
from pathlib import Path

import click
import pytest

import dbsynth
from dbsynth import errors
from dbsynth.cli import COMMANDS, cli
from dbsynth.identifiers import PROVIDERS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "docker").glob("*.md")]
)
ERRORS = {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.DbsynthError)
}
# These speak of a schema or of rows as they are: there is nothing to mend from outside.
UNHINTED = {"LoadError", "RowsRejected", "TooManyRows", "Unsatisfiable"}
# And these of a wrong order of calls, which no command makes.
OUT_OF_ORDER = ("is not open", "was not taken from", "does not exist in the target")


@pytest.mark.parametrize("name", ["cli", "json"])
def test_generated_page_is_fresh(name):
    made = runpy.run_path(str(ROOT / "docs" / "cli_reference.py"))[f"{name}_page"]()
    assert (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") == made


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_documented(name):
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    first, *rest = (command.help or "").splitlines()
    assert first.endswith(".")
    assert any(line.strip().startswith(f"Example: dbsynth {name}") for line in rest)
    assert len(COMMANDS[name]) < 60
    assert f"dbsynth {name}" in README


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_help_text(name):
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    options = [p for p in command.params if isinstance(p, click.Option)]
    assert [option.name for option in options if not option.help] == []


def test_all_names_the_public_names():
    tree = ast.parse(Path(str(dbsynth.__file__)).read_text(encoding="utf-8"))
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dbsynth.")
        for alias in node.names
    }
    assert sorted(imported) == sorted(dbsynth.__all__)
    assert list(dbsynth.__all__) == sorted(dbsynth.__all__)
    assert all(getattr(dbsynth, name) is not None for name in dbsynth.__all__)
    assert set(dbsynth.__all__) <= set(dir(dbsynth))


def test_function_fit_is_not_hidden_by_a_module():
    importlib.import_module("dbsynth.pipeline")
    assert [
        name for name in dbsynth.__all__ if type(getattr(dbsynth, name)).__name__ == "module"
    ] == []


def raised() -> list[tuple[str, int, str, bool]]:
    """Every raise of an error of ours: file, line, class, and whether it has a hint."""
    found = []
    for path in sorted((ROOT / "dbsynth").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                name = getattr(node.exc.func, "id", "")
                out_of_order = any(word in ast.unparse(node) for word in OUT_OF_ORDER)
                if name in ERRORS and not out_of_order:
                    hinted = any(word.arg == "hint" for word in node.exc.keywords)
                    found.append((str(path.relative_to(ROOT)), node.lineno, name, hinted))
    return found


def test_errors_say_how_to_mend():
    assert len(raised()) > 30
    bare = [place for *place, hinted in raised() if not hinted and place[2] not in UNHINTED]
    assert bare == []


def test_tree_of_errors_names_them_all():
    assert {name for name in ERRORS if name not in (errors.__doc__ or "")} == set()


def test_architecture_names_every_module():
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    modules = {path.stem for path in (ROOT / "dbsynth").glob("*.py")} - {"__init__", "__main__"}
    packages = {path.parent.name for path in (ROOT / "dbsynth").glob("*/__init__.py")}
    assert {name for name in modules | packages if f"`{name}`" not in page} == set()


def test_readme_names_every_provider():
    assert {name for name in PROVIDERS if f"`{name}`" not in README} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_decisions_are_numbered_and_short():
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [int(path.name[:4]) for path in records]
    assert len(set(numbers)) == len(numbers)  # one may be kept for a page that is being written
    for path in records:
        text = path.read_text(encoding="utf-8")
        assert all(
            part in text for part in ("\n**Context.** ", "\n**Choice.** ", "\n**Given up.** ")
        )
        assert len(text.splitlines()) <= 60
