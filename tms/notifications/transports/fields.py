"""The values that a transport needs to know of a destination."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.functional import Promise

type Text = str | Promise

MAX_CHARACTERS = 300
ANYTHING = re.compile(r".+", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class TransportField:
    """One value, as forms and REST ask for it."""

    name: str
    label: Text
    hint: Text
    """Where the other product shows the value."""
    expected: Text = ""
    """What is wrong with a value that does not match `pattern`, and what would be right."""
    pattern: re.Pattern[str] = ANYTHING
    example: str = ""
    is_secret: bool = False
    """Encrypted, and never shown again."""
    is_required: bool = True
    is_long: bool = False
    """Whether the value may have several lines."""
    max_length: int = MAX_CHARACTERS
    choices: tuple[tuple[str, Text], ...] = ()
    """The first is chosen by default."""

    def cleaned(self, value: str) -> str:
        """Raises ValidationError."""
        if not self.pattern.fullmatch(value):
            raise ValidationError(str(self.expected))
        return value


type Values = Mapping[str, str]
"""Values by name of the field; an omitted one is missing or empty."""
