"""Fields and mixins of forms."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext

FORMAT = "%Y-%m-%dT%H:%M"


class LocalDateTimeField(forms.DateTimeField):
    """A time without a zone, as a browser's `datetime-local` sends it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(input_formats=[FORMAT, "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"], **options)

    def prepare_value(self, value: Any) -> Any:
        return f"{value:{FORMAT}}" if isinstance(value, datetime) else value

    def to_python(self, value: Any) -> datetime | None:
        found: datetime | None = super().to_python(value)
        return found.replace(tzinfo=None) if found else None


NONE = "–"


class Plain:
    """Fields in the style of TMS's pages."""

    fields: dict[str, forms.Field]

    label_suffix: str

    def dress(self) -> None:
        self.label_suffix = ""
        for field in self.fields.values():
            if isinstance(field, forms.ModelChoiceField) and field.empty_label:
                field.empty_label = NONE
            if not isinstance(field.widget, forms.CheckboxInput | forms.RadioSelect):
                field.widget.attrs["class"] = "input"


def free_name(not_deleted: models.QuerySet[Any], name: str, row: models.Model) -> str:
    """Django skips constraints whose condition is about a column that the form does not have."""
    if not_deleted.filter(name=name).exclude(pk=row.pk).exists():
        raise ValidationError(gettext("This name is already in use. Enter another one."))
    return name
