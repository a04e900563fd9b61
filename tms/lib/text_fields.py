"""Fields of models and forms for text that people read. All of it is cleaned, from any source."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.db import models

from tms.protocol.text import clean

if TYPE_CHECKING:
    CharField = models.CharField[str, str]
    TextField = models.TextField[str, str]
else:
    CharField, TextField = models.CharField, models.TextField


class FormLine(forms.CharField):
    """One line."""

    keeps_lines = False

    def to_python(self, value: object) -> Any:
        # Cleaned first: text that contains only removed characters counts as empty.
        return super().to_python(clean(value, keeps_lines=self.keeps_lines) if isinstance(value, str) else value)


class FormLines(FormLine):
    """Text of several lines."""

    keeps_lines = True


class _Cleaned:
    """Cleans assigned values before they are saved, bulk updates and lookups included."""

    form_class: type[FormLine] = FormLine

    def _clean(self, value: object) -> Any:
        return clean(value, keeps_lines=self.form_class.keeps_lines) if isinstance(value, str) else value

    def to_python(self, value: object) -> Any:
        return super().to_python(self._clean(value))  # type: ignore[misc]

    def get_prep_value(self, value: object) -> Any:
        return self._clean(super().get_prep_value(value))  # type: ignore[misc]

    def pre_save(self, instance: models.Model, add: bool) -> Any:
        value = self._clean(super().pre_save(instance, add))  # type: ignore[misc]
        setattr(instance, self.attname, value)  # type: ignore[attr-defined]
        return value

    def formfield(self, **options: object) -> Any:
        return super().formfield(**{"form_class": self.form_class, **options})  # type: ignore[misc]

    def deconstruct(self) -> Any:
        """Migrations see the underlying field."""
        name, _, args, options = super().deconstruct()  # type: ignore[misc]
        return name, f"django.db.models.{self.get_internal_type()}", args, options  # type: ignore[attr-defined]


class LineField(_Cleaned, CharField):
    """One line: a name, a serial number, a model."""


class LinesField(_Cleaned, CharField):
    """A comment of several lines."""

    form_class = FormLines


class LongLinesField(_Cleaned, TextField):
    """A note of several lines."""

    form_class = FormLines
