"""What can go wrong in a backup, in one line."""

from subprocess import CalledProcessError

import psycopg

from deploy.aws import AwsError


class BackupFailed(Exception):
    """A step failed; the message names it and the reason, in one line."""


class BackupInProgress(BackupFailed):
    """Another backup of this database is in progress."""


EXPECTED = (OSError, CalledProcessError, psycopg.Error, *AwsError, BackupFailed)
"""Errors that are reported in one line. Any other is a bug and is shown with its traceback."""


def one_line(error: BaseException) -> str:
    """The message of `error`, in one line."""
    if isinstance(error, CalledProcessError):
        return first_error(error.stderr or "") or str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def first_error(stderr: str) -> str:
    """The first error in the output of a PostgreSQL program: the reason why it ended. Details follow on later lines."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line or "FATAL" in line]
    return " ".join((errors or lines[-1:])[0].split()) if lines else ""
