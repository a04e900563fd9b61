"""Fields of arguments: a number, and a text a line."""

from typing import Any

from django import forms

from tms.commands.argument_schemas import MAX_ARGUMENT_BYTES
from tms.lib.text_fields import FormLines


class NumberEntryField(forms.FloatField):
    """Cleans 2.0 to 2, as a person would write it."""

    def to_python(self, value: Any) -> Any:
        found = super().to_python(value)
        return _whole(found)

    def prepare_value(self, value: Any) -> Any:
        return _whole(value)


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


class EntriesField(FormLines):
    """A text a line."""

    def __init__(self, **options: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 3})
        super().__init__(max_length=MAX_ARGUMENT_BYTES, widget=widget, **options)

    def clean(self, value: Any) -> Any:
        return [line.strip() for line in super().clean(value).splitlines() if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value
