"""The command line: parse, dispatch, and turn errors into exit codes."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from pathlib import Path

import click

from dbsynth.cli import check, clone, demo, fit, init, load, output, plan
from dbsynth.errors import DbsynthError

BUG, INTERRUPTED = 3, 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dbsynth", message="%(prog)s %(version)s")
def cli() -> None:
    """A database that behaves like production and holds nobody's data."""


for _command in (clone.clone, init.init, plan.plan, fit.fit, load.load, check.check, demo.demo):
    cli.add_command(_command)


def main() -> None:
    """Run the command line; the one place where errors become exit codes."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command; returns its exit code (0 done, 1 failed, 2 usage or spec, 3 bug, 130 interrupted)."""
    try:
        cli.main(arguments, prog_name="dbsynth", standalone_mode=False)
    except DbsynthError as error:
        output.say(f"error: {error.message}")
        if error.hint:
            output.say(f"hint: {error.hint}")
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        output.say("interrupted; the target is as it was")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the last line of defence: a bug becomes a log file
        output.say(f"error: this is a bug in dbsynth ({type(error).__name__})")
        output.say(f"hint: report it with the log file {_log(error)}")
        return BUG
    return 0


def _log(error: BaseException) -> Path:
    """Where the traceback was written: places in the code only, no message that may hold a value."""
    handle, name = tempfile.mkstemp(prefix="dbsynth-", suffix=".log")
    lines = traceback.format_tb(error.__traceback__)
    chain: BaseException | None = error
    kinds = []
    while chain is not None:
        kinds.append(type(chain).__name__)
        chain = chain.__cause__ or chain.__context__
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write("".join(lines) + " <- ".join(kinds) + "\n")
    return Path(name)
