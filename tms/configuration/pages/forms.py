"""Forms of keys, values and versions."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.accounts.models import User
from tms.commands.argument_fields import EntriesField
from tms.commands.argument_schemas import MAX_SCHEMA_BYTES, BadSchema
from tms.configuration.keys import KeyValues
from tms.configuration.models import ConfigurationKey, Layer
from tms.configuration.places import Place, find_place
from tms.configuration.values.schemas import check_key_schema
from tms.lib.forms import Plain
from tms.lib.text_fields import FormLine, FormLines

MAX_VALUE = 4_096


class ConfigurationKeyForm(Plain, forms.Form):
    name = FormLine(label=_("Name"), max_length=64, help_text=_("Such as display.brightness."))
    meaning = FormLine(label=_("Meaning"), max_length=200, required=False)
    for_models = EntriesField(label=_("Models"), required=False, help_text=_("One a line. Empty for all."))
    schema = FormLines(
        label=_("Schema"),
        max_length=MAX_SCHEMA_BYTES,
        widget=forms.Textarea(attrs={"rows": 8, "class": "code", "spellcheck": "false"}),
        help_text=_('JSON Schema of a value, such as {"type": "integer", "minimum": 1, "maximum": 8}'),
    )
    needs_restart = forms.BooleanField(label=_("Needs a restart"), required=False)
    is_secret = forms.BooleanField(label=_("Secret: its values are encrypted, and never shown"), required=False)

    def __init__(self, data: Any = None, *, key: ConfigurationKey | None = None) -> None:
        initial: dict[str, Any] = {"schema": '{"type": "string", "maxLength": 100}'}
        if key is not None:
            initial = {name: getattr(key, name) for name in KeyValues.__dataclass_fields__} | {"name": key.name}
            initial["schema"] = json.dumps(key.schema, ensure_ascii=False, indent=2)
        super().__init__(data, initial=initial)
        if key is not None:
            self.fields["name"].disabled = True
        self.dress()

    def clean_schema(self) -> Any:
        try:
            schema = json.loads(self.cleaned_data["schema"])
            check_key_schema(schema)
        except BadSchema as error:
            raise ValidationError(str(error)) from None
        except (ValueError, RecursionError) as error:
            raise ValidationError(gettext("Not JSON: %(error)s") % {"error": error}) from None
        return schema

    @property
    def flags(self) -> list[forms.BoundField]:
        return [self["needs_restart"], self["is_secret"]]

    @property
    def values(self) -> KeyValues:
        """Call it after `is_valid()`."""
        return KeyValues(**{name: self.cleaned_data[name] for name in KeyValues.__dataclass_fields__})


class ValueForm(Plain, forms.Form):
    """A value at a place. `remove` takes it away."""

    layer = forms.ChoiceField(label=pgettext_lazy("configuration", "Layer"), choices=Layer)
    place = FormLine(
        label=pgettext_lazy("configuration", "Where"),
        max_length=100,
        required=False,
        help_text=_("The region, the group, the code of the site or the UID of the terminal."),
    )
    value = FormLines(label=_("Value"), max_length=MAX_VALUE, required=False)
    remove = forms.BooleanField(required=False)

    def __init__(self, data: Any = None, *, by: User, key: ConfigurationKey, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self.person = by
        field = self.fields["value"]
        field.strip = not key.is_secret  # type: ignore[attr-defined]
        field.widget = forms.PasswordInput(attrs={"autocomplete": "off"}) if key.is_secret else _input(key)
        self.dress()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        layer, name = cleaned.get("layer", ""), cleaned.get("place", "")
        found = find_place(layer, name, to=self.person) if layer else None
        if layer and found is None:
            self.add_error("place", gettext("Nothing of this name. Check it."))
        cleaned["found"] = found
        if not cleaned.get("remove") and not cleaned.get("value") and "value" not in self.errors:
            self.add_error("value", gettext("Enter a value, or remove it."))
        return cleaned

    @property
    def found(self) -> Place:
        place: Place = self.cleaned_data["found"]
        return place


def _input(key: ConfigurationKey) -> forms.Widget:
    choices = key.schema.get("enum")
    if key.schema.get("type") == "boolean":
        choices = [False, True]
    if choices and all(isinstance(one, str | int | float | bool) for one in choices):
        texts = [one if isinstance(one, str) else json.dumps(one) for one in choices]
        return forms.Select(choices=[("", "–"), *((text, text) for text in texts)])
    if key.schema.get("type") in {"object", "array"}:
        return forms.Textarea(attrs={"rows": 4, "class": "code", "spellcheck": "false"})
    return forms.TextInput(attrs={"autocomplete": "off"})


class VersionForm(Plain, forms.Form):
    """What a version is for, and why."""

    title = FormLine(label=_("Title"), max_length=100)
    reason = FormLines(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, data: Any = None, *, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self.dress()
