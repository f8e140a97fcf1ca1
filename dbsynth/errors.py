"""The exception tree of dbsynth.

::

    DbsynthError                exit code 1
      SpecError                 exit code 2: the spec file or an option is wrong
        MissingFile             a file or folder that is named, and is not there
      DatabaseError             a database said no
        CannotConnect
        MissingDriver
        TargetNotEmpty
        TargetIsSource
      SchemaError               the schema cannot be cloned as it stands
        UnsupportedColumn
        Unsatisfiable           a constraint that the generated rows cannot meet
          TooManyRows           a constraint that fewer rows could meet
      EngineError
        MissingExtra            an optional extra has to be installed
      ModelError                a model file that cannot be read
      LoadError
        RowsRejected            the target refused rows
      VerificationFailed        the clone was built, tested, and found wrong

Every error says what is wrong, where, and (``hint``) how to mend it.  Messages never hold a stored
value or a password.
"""

from __future__ import annotations

from collections.abc import Sequence


class DbsynthError(Exception):
    """Any expected failure.

    Args:
        message: One sentence without a full stop that names the table and column concerned.
        hint: One imperative sentence, or a command to run.
        lines: Lines of a spec that the hint speaks of.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "", lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.lines = tuple(lines)


class SpecError(DbsynthError):
    """The spec file or a command-line value is wrong."""

    exit_code = 2


class MissingFile(SpecError):
    """A spec, model or database file, or a folder, that is named and is not there."""


class DatabaseError(DbsynthError):
    """A database refused what was asked of it."""


class CannotConnect(DatabaseError):
    """The server does not answer, or does not let us in."""


class MissingDriver(DatabaseError):
    """No support for this kind of database is installed."""


class TargetNotEmpty(DatabaseError):
    """The target holds tables, and nobody allowed their replacement."""


class TargetIsSource(DatabaseError):
    """Source and target are one database."""


class SchemaError(DbsynthError):
    """The schema cannot be cloned as it stands."""


class UnsupportedColumn(SchemaError):
    """A column whose type cannot be read or written."""


class Unsatisfiable(SchemaError):
    """A constraint that the generated rows cannot meet."""


class TooManyRows(Unsatisfiable):
    """A constraint that leaves no room for so many rows.

    Attributes:
        table: Name of the table.
        rows: How many rows it could have.
    """

    def __init__(
        self, message: str, *, table: str, rows: int, hint: str = "lower the scale"
    ) -> None:
        super().__init__(message, hint=hint)
        self.table = table
        self.rows = rows


class EngineError(DbsynthError):
    """An engine cannot fit or sample."""


class MissingExtra(EngineError):
    """An optional extra has to be installed first."""


class ModelError(DbsynthError):
    """A model file that cannot be read or does not fit."""


class LoadError(DbsynthError):
    """The target could not be filled."""


class RowsRejected(LoadError):
    """The target refused rows."""


class VerificationFailed(DbsynthError):
    """The clone was built and tested, and does not hold what the schema promises."""
