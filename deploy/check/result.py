from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from deploy.check.target import Place


class Text(NamedTuple):
    """The same in both languages."""

    en: str
    ja: str

    def in_(self, language: str) -> str:
        return self.ja if language == "ja" else self.en


class Mark(StrEnum):
    PASSED = "x"
    FAILED = " "
    UNSEEN = "-"
    """It could not be looked at from here: neither good nor bad."""
    DENIED = "?"
    """Whoever asks is not allowed to read it: a missing permission, and no word about what was asked."""


class Wrong(Exception):
    """It is not as it should be; `text` says what was found."""

    def __init__(self, en: str, ja: str) -> None:
        super().__init__(en)
        self.text = Text(en, ja)


class Unseen(Wrong):
    """It cannot be seen from here; `text` says what it would take."""


class Denied(Unseen):
    """Whoever asks may not read it; `text` says which permission is missing."""


@dataclass(frozen=True, slots=True)
class Line:
    """`look` says what it found, or raises Wrong or Unseen; `right` says what would be right."""

    title: Text
    look: Callable[[Place], Text]
    right: Text


@dataclass(frozen=True, slots=True)
class Section:
    key: str
    """By which one is asked for alone."""
    title: Text
    lines: Sequence[Line]


class Outcome(NamedTuple):
    mark: Mark
    found: Text


def outcome(line: Line, place: Place) -> Outcome:
    """Whatever goes wrong while looking is not a pass."""
    try:
        return Outcome(Mark.PASSED, line.look(place))
    except Denied as denied:
        return Outcome(Mark.DENIED, denied.text)
    except Unseen as unseen:
        return Outcome(Mark.UNSEEN, unseen.text)
    except Wrong as wrong:
        return Outcome(Mark.FAILED, wrong.text)
    except Exception as error:  # noqa: BLE001 - a check that broke is told in its line, and the others go on
        told = " ".join(f"{type(error).__name__}: {error}".split())
        return Outcome(Mark.FAILED, Text(told, told))
