"""Fields of arguments: a number, and a text a line."""

from typing import Any

from django import forms
from django.utils.translation import gettext

from tms.commands.argument_schemas import MAX_ARGUMENT_BYTES
from tms.lib.text_fields import FormLines


class NumberField(forms.FloatField):
    """Cleans 2.0 to 2, as a person would write it."""

    def to_python(self, value: Any) -> Any:
        found = super().to_python(value)
        return int(found) if found is not None and found.is_integer() else found


class EntriesField(FormLines):
    """A text a line."""

    def __init__(self, **options: Any) -> None:
        about = " ".join(filter(None, (options.pop("help_text"), gettext("One a line."))))
        widget = forms.Textarea(attrs={"rows": 3})
        super().__init__(max_length=MAX_ARGUMENT_BYTES, widget=widget, help_text=about, **options)

    def clean(self, value: Any) -> Any:
        return [line.strip() for line in super().clean(value).splitlines() if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value
