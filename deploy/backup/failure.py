from subprocess import CalledProcessError

import psycopg

from deploy.aws import AwsError


class BackupFailed(Exception):
    """A step did not do what it should; the message says which, and what is wrong, in one line."""


class Busy(BackupFailed):
    """Another backup is being made."""


EXPECTED = (OSError, CalledProcessError, psycopg.Error, *AwsError, BackupFailed)
"""What may go wrong on the way. Anything else is a mistake of ours, and is shown as one."""


def sentence(error: BaseException) -> str:
    """What `error` says, in one line."""
    if isinstance(error, CalledProcessError):
        return last_words(error.stderr or "") or str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def last_words(stderr: str) -> str:
    """Of a program of PostgreSQL: its first error, which is why it ended. Details follow in lines of their own."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line or "FATAL" in line]
    return " ".join((errors or lines[-1:])[0].split()) if lines else ""
