"""What a person typed into the search field."""

import unicodedata
from dataclasses import dataclass
from typing import Self

MAX_CHARACTERS = 200
MAX_TERMS = 4
ONLY_ACTIONS = ">"


@dataclass(frozen=True, slots=True)
class SearchQuery:
    text: str = ""
    """The text with plain letters and digits."""
    typed: str = ""
    only_actions: bool = False
    """It began with `>`."""

    @classmethod
    def of(cls, written: str) -> Self:
        typed = written.replace("\0", "").strip()[:MAX_CHARACTERS]
        text = normalised(typed)
        if not text.startswith(ONLY_ACTIONS):
            return cls(text, typed)
        return cls(text[1:].strip(), typed[1:].strip(), only_actions=True)

    @property
    def terms(self) -> tuple[str, ...]:
        """All of them have to match."""
        return tuple(self.text.split()[:MAX_TERMS])

    @property
    def typed_terms(self) -> tuple[str, ...]:
        """The terms as typed, for names that are themselves written with full-width letters."""
        return tuple(self.typed.split()[:MAX_TERMS])


def normalised(typed: str) -> str:
    """Full-width letters, digits and spaces become plain ones: Japanese input methods write `ＳＪＫ`."""
    return unicodedata.normalize("NFKC", typed).strip()[:MAX_CHARACTERS]
