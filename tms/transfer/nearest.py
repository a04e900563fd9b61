"""Suggestions for values that are not there: the one of which they are a slip."""

from collections.abc import Collection
from unicodedata import normalize

MAX_SOUGHT = 200
MAX_KNOWN = 5_000
MAX_LENGTH = 100
LONGEST_CODE = 8
FEWEST_LETTERS = 4
LOOK_ALIKE = str.maketrans("oil", "011")


class Nearest:
    """Finds the value that was meant by comparing with all known ones, so it does that for a limited number only."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    def __call__(self, value: str, known: Collection[str]) -> str:
        """The only known value of which this one is a slip; empty if there is none, or more than one."""
        if value not in self._found:
            if len(self._found) >= MAX_SOUGHT or len(known) > MAX_KNOWN or len(value) > MAX_LENGTH:
                return ""
            self._found[value] = _nearest(value, known)
        return self._found[value]


def _nearest(value: str, known: Collection[str]) -> str:
    folded = {name: normalize("NFKC", name).casefold() for name in known}
    wanted = normalize("NFKC", value).casefold()
    look = wanted.translate(LOOK_ALIKE)
    alike = [name for name, text in folded.items() if text.translate(LOOK_ALIKE) == look]
    found = alike or [name for name, text in folded.items() if is_slip(wanted, text)]
    return found[0] if len(found) == 1 else ""


def is_slip(text: str, of: str) -> bool:
    """Whether one typing error leads from `of` to `text`: letters swapped, one too many or too few, or another one.

    Digits are never the error: S70 and S470 are two shops. Neither is another letter in what may be a code.
    """
    if abs(len(text) - len(of)) > 1 or text == of or _digits(text) != _digits(of):
        return False
    start = _common(text, of)
    wrong, right = text[start:], of[start:]
    end = _common(wrong[::-1], right[::-1])
    wrong, right = wrong[: len(wrong) - end], right[: len(right) - end]
    if len(wrong) == len(right):
        return wrong == right[::-1] if len(wrong) == 2 else len(wrong) == 1 and len(of) > LONGEST_CODE
    return len(wrong) + len(right) == 1 and sum(map(str.isalpha, of)) >= FEWEST_LETTERS


def _common(one: str, other: str) -> int:
    """Length of their common beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))
