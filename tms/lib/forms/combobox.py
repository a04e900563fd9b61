"""A field and a widget for a choice of several: a combobox with removable chips.

`templates/forms/combobox.html` works without JavaScript: check boxes, or for a long list the chosen ones and a field
for typed keys. `static/js/form/combobox.js` makes a combobox with a listbox of it (ARIA Authoring Practices).
"""

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.forms.models import ModelChoiceIterator
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.datastructures import MultiValueDict
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext

SEPARATORS = re.compile(r"[\s,;]+")
MAX_ROWS = 5_000
MAX_NAMED = 5
"""Unknown keys in an error."""


class ByPages:
    """A widget with a template of ours: rendered by the engine of pages, because that of forms does not know them."""

    def _render(self, template_name: str, context: dict[str, object], renderer: object = None) -> SafeString:
        return render_to_string(template_name, context)


class Combobox(ByPages, forms.CheckboxSelectMultiple):
    """Renders all choices; for a long list, see `Suggestions`."""

    template_name = "forms/combobox.html"
    use_fieldset = False
    option_inherits_attrs = False
    label: str | Promise | None = ""
    """Names the group of check boxes; `Plain.dress` sets it."""

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        return id_ if index is None else super().id_for_label(id_, index)

    def get_context(self, name: str, value: object, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["label"] = self.label
        return context


class Suggestions(Combobox):
    """A combobox for long lists: it renders what is chosen, and the server suggests the rest while a person types.

    `view` names the page that suggests rows, `query` are parameters of it, and `value` is one field of its rows.
    """

    def __init__(self, view: str, **query: str) -> None:
        super().__init__()
        self.view, self.query = view, query

    def get_context(self, name: str, value: object, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        address = reverse(self.view)
        context["widget"]["suggestions"] = f"{address}?{urlencode(self.query)}" if self.query else address
        return context

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> Any:
        choices, self.choices = self.choices, self._chosen(value)
        try:
            return super().optgroups(name, value, attrs)
        finally:
            self.choices = choices

    def value_from_datadict(self, data: Any, files: MultiValueDict[str, Any], name: str) -> list[str]:
        """Each of the values may be several keys, because a person may type or paste them."""
        found = super().value_from_datadict(data, files, name) or ()
        return split_keys([found] if isinstance(found, str) else found)

    def _chosen(self, value: Iterable[str]) -> list[tuple[str, str]]:
        """Known rows by their label; keys that are not known stay as they were typed."""
        choices = self.choices
        assert isinstance(choices, ModelChoiceIterator)
        keys = [key for key in dict.fromkeys(value) if key and "\0" not in key][:MAX_ROWS]
        field = choices.field
        rows = rows_by_key(choices.queryset, field.to_field_name or "pk", keys)
        return [(key, field.label_from_instance(rows[key]) if key in rows else key) for key in keys]


class RowsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # generic to the type checker only
    """Several rows of a long list, by a unique text `key` such as a code; cleans to a list of rows."""

    def __init__(
        self, rows: QuerySet[Model], *, key: str, widget: Suggestions, unknown: str | Promise, **options: Any
    ) -> None:
        """`unknown`: the error for keys that are not among the rows, with their names as `%(keys)s`."""
        super().__init__(rows, to_field_name=key, widget=widget, **options)
        self.unknown = unknown

    def clean(self, value: Any) -> list[Model]:  # type: ignore[override]  # Django returns a queryset or a list
        keys = list(dict.fromkeys(map(str, self.prepare_value(value) or ())))
        if not keys:
            if self.required:
                raise ValidationError(self.error_messages["required"], code="required")
            return []
        if len(keys) > MAX_ROWS:
            raise ValidationError(gettext("Too many. Create a group and choose it instead."), code="too_many")
        assert self.queryset is not None
        assert self.to_field_name is not None
        rows = rows_by_key(self.queryset, self.to_field_name, keys)
        if missing := [key for key in keys if key not in rows]:
            raise ValidationError(self.unknown % {"keys": ", ".join(missing[:MAX_NAMED])}, code="unknown")
        return [rows[key] for key in keys]


def rows_by_key(rows: QuerySet[Model], key: str, keys: Iterable[str]) -> dict[str, Model]:
    """The rows whose `key` is one of `keys`. PostgreSQL rejects a NUL, which no key contains."""
    known = [one for one in keys if "\0" not in one]
    return {str(getattr(row, key)): row for row in rows.filter(**{f"{key}__in": known})}


def split_keys(texts: Iterable[str]) -> list[str]:
    return [key for text in texts for key in SEPARATORS.split(text) if key]
