"""A field of forms for a time as the clocks on a wall show it."""

from datetime import datetime
from typing import Any

from django import forms

FORMAT = "%Y-%m-%dT%H:%M"


class WallTimeField(forms.DateTimeField):
    """A time without a zone, as a browser's `datetime-local` has it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(input_formats=[FORMAT, "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"], **options)

    def prepare_value(self, value: Any) -> Any:
        return f"{value:{FORMAT}}" if isinstance(value, datetime) else value

    def to_python(self, value: Any) -> datetime | None:
        found: datetime | None = super().to_python(value)
        return found.replace(tzinfo=None) if found else None
