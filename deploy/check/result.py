"""What a check is, and what it can find."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from deploy.check.target import CheckTarget


class Text(NamedTuple):
    """One text in both languages."""

    en: str
    ja: str

    def in_(self, language: str) -> str:
        return self.ja if language == "ja" else self.en


class CheckStatus(StrEnum):
    PASSED = "x"
    FAILED = " "
    SKIPPED = "-"
    """The check cannot run from here; the state of the target is unknown."""
    DENIED = "?"
    """The caller lacks a permission; the state of the target is unknown."""
    ACCEPTED = "!"
    """The check failed, and a person accepted this with a reason (`--accept`)."""


class Failed(Exception):
    """The check failed; `text` describes what it found."""

    def __init__(self, en: str, ja: str) -> None:
        super().__init__(en)
        self.text = Text(en, ja)


class Skipped(Failed):
    """The check cannot run from here; `text` describes what it needs."""


class Denied(Skipped):
    """The caller may not read the target; `text` names the missing permission."""


@dataclass(frozen=True, slots=True)
class Check:
    """`run` returns what it found, or raises Failed, Skipped or Denied; `expected` is printed if it did not pass."""

    title: Text
    run: Callable[[CheckTarget], Text]
    expected: Text


@dataclass(frozen=True, slots=True)
class Section:
    key: str
    """Its name on the command line (`--only`, `--gate`)."""
    title: Text
    checks: Sequence[Check]


class CheckResult(NamedTuple):
    status: CheckStatus
    text: Text


def run_check(check: Check, target: CheckTarget) -> CheckResult:
    """An unexpected exception counts as a failure."""
    try:
        return CheckResult(CheckStatus.PASSED, check.run(target))
    except Denied as denied:
        return CheckResult(CheckStatus.DENIED, denied.text)
    except Skipped as skipped:
        return CheckResult(CheckStatus.SKIPPED, skipped.text)
    except Failed as failed:
        if reason := target.accepted.get(check.run.__name__):
            return CheckResult(CheckStatus.ACCEPTED, Text(f"{failed.text.en}; {reason}", f"{failed.text.ja}。{reason}"))
        return CheckResult(CheckStatus.FAILED, failed.text)
    except Exception as error:  # noqa: BLE001 - a check that breaks is reported as failed, and the others still run
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return CheckResult(CheckStatus.FAILED, Text(reason, reason))
