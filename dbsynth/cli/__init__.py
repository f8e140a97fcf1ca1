"""The command line: parse, dispatch, and turn errors into exit codes."""

from __future__ import annotations

import difflib
import importlib
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from types import FrameType

import click

from dbsynth import __version__
from dbsynth.cli import output
from dbsynth.errors import DbsynthError

BUG, INTERRUPTED = 3, 130

_MOMENT = 0.05  # seconds until an interrupt is tried again

# In the order in which one meets them.  The module of a command is imported when it is called.
COMMANDS = {
    "demo": "Clone an invented shop, side by side.",
    "init": "Write a spec to review.",
    "schema": "Print the JSON schema of specs, for editors.",
    "diff": "List what changed since a spec was written.",
    "plan": "Show what a clone would do.",
    "clone": "Build a synthetic clone of a database.",
    "fit": "Fit a model of a database.",
    "load": "Build a clone from a model file.",
    "inspect": "List what a model file contains.",
    "check": "Verify the constraints of a database.",
    "attack": "Measure what clones give away of real entities.",
    "tradeoff": "Weigh utility against the budget of privacy.",
}


class Commands(click.Group):
    """The commands, each in the module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        if cmd_name not in COMMANDS:
            near = difflib.get_close_matches(cmd_name, COMMANDS, 1)
            known = f"Did you mean `{near[0]}`?" if near else f"Known: {', '.join(COMMANDS)}."
            ctx.fail(f"No such command `{output.plain(cmd_name)}`. {known}")
        command: click.Command = getattr(
            importlib.import_module(f"dbsynth.cli.{cmd_name}"), cmd_name
        )
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
def cli() -> None:
    """Make a database that behaves like production and holds nobody's data.

    URLs are written as SQLAlchemy writes them: postgresql://user@host/database, sqlite:///file.db.

    Exit codes: 0 done, 1 failed (an error, a constraint, a real value; with --strict also a rule),
    2 wrong usage or spec (also a file that is not there), 3 a bug, 130 interrupted.
    """


def main() -> None:
    """Run the command line; the one place where errors become exit codes."""
    signal.signal(signal.SIGTERM, _interrupted)  # what a run has built goes away with it
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a shell may ignore it
        signal.signal(signal.SIGINT, _interrupted)
    code = run(sys.argv[1:])
    # CPython notes an interrupt that comes while `exec` runs a text (numba compiles so), and would
    # end the process by a signal although it was handled; running another text clears the note.
    exec("")
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run a command; returns its exit code.

    0 done, 1 failed, 2 wrong usage or spec, 3 a bug, 130 interrupted.  With ``--json`` an error is
    one JSON object on stdout, besides the words on stderr.
    """
    as_json = "--json" in arguments
    try:
        code = cli.main(arguments, prog_name="dbsynth", standalone_mode=False)
    except DbsynthError as error:
        return _failed(error, as_json=as_json)
    except click.ClickException as error:
        error.show()
        if as_json:
            output.put_error("UsageError", error.format_message(), exit_code=error.exit_code)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        output.say("interrupted; the target is as it was")
        if as_json:
            output.put_error("Interrupted", "interrupted", exit_code=INTERRUPTED)
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001  # the last line of defence: a bug becomes a log file
        return _bug(error, as_json=as_json)
    return code if isinstance(code, int) else 0  # of `click.exceptions.Exit`


def _failed(error: DbsynthError, *, as_json: bool) -> int:
    output.say(f"error: {error.message}")
    if error.hint:
        output.say(f"hint: {error.hint}")
    for line in error.lines:
        output.say(line)
    if as_json:
        kind = type(error).__name__
        hint = "\n".join(filter(None, (error.hint, *error.lines)))
        output.put_error(kind, error.message, hint=hint, exit_code=error.exit_code)
    return error.exit_code


def _bug(error: Exception, *, as_json: bool) -> int:
    message = f"this is a bug in dbsynth ({type(error).__name__})"
    hint = f"report it with the log file {_log(error)}, which holds no value"
    output.say(f"error: {message}")
    output.say(f"hint: {hint}")
    if as_json:
        output.put_error("Bug", message, hint=hint, exit_code=BUG)
    return BUG


def _interrupted(_: int, frame: FrameType | None) -> None:
    """Interrupt; a moment later where a compiler calls back, which swallows exceptions."""
    while frame is not None:
        if "llvmlite" in frame.f_code.co_filename:
            signal.signal(signal.SIGALRM, _interrupted)
            signal.setitimer(signal.ITIMER_REAL, _MOMENT)
            return
        frame = frame.f_back
    raise KeyboardInterrupt


def _log(error: BaseException) -> Path:
    """Where the traceback was written: places in the code, no message that may hold a value."""
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
