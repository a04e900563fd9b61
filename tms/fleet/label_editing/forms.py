"""Forms of the tags and attributes of one row."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.fleet.labels.attributes import MAX_TEXT, BadValue, read_value
from tms.fleet.labels.tags import normalized
from tms.fleet.models import Attribute, AttributeType
from tms.lib.forms import Plain, when
from tms.lib.forms.combobox import Suggestions
from tms.lib.text_fields import FormLine

MAX_ADDED = 50
"""Tags that one form adds."""


class TagSuggestions(Suggestions):
    """What a person types is a tag, whether there is one or not."""

    def _chosen(self, value: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in dict.fromkeys(value)][:MAX_ADDED]


class TagsField(forms.MultipleChoiceField):
    """Tags, chosen or typed with blanks or commas between them. Cleans to their stored form."""

    widget = TagSuggestions

    def valid_value(self, value: str) -> bool:
        return True

    def clean(self, value: Any) -> tuple[str, ...]:
        found = normalized(super().clean(value))
        if len(found) > MAX_ADDED:
            raise ValidationError(gettext("At most 50 tags."))
        return found


class TagsForm(Plain, forms.Form):
    """Adds tags, and removes others."""

    add = TagsField(label=_("Add tags"), required=False, widget=TagSuggestions("suggest-tags"))
    remove = TagsField(required=False, widget=forms.MultipleHiddenInput)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.dress()

    def clean(self) -> None:
        if not self.errors and not self.cleaned_data["add"] and not self.cleaned_data["remove"]:
            self.add_error("add", gettext("Type a tag."))


class ValuesForm(Plain, forms.Form):
    """The values of attributes, as texts; an empty one removes the value."""

    def __init__(self, data: Any = None, *, attributes: Mapping[Attribute, str]) -> None:
        """`attributes`: with the stored values."""
        super().__init__(data, prefix="value", initial={each.name: text for each, text in attributes.items()})
        self.attributes = attributes
        self.fields |= {attribute.name: _field(attribute, text) for attribute, text in attributes.items()}
        self.dress()

    def clean(self) -> None:
        for attribute, text in self.changes():
            try:
                if text:
                    read_value(attribute, text)
            except BadValue as error:
                self.add_error(attribute.name, str(error))

    def changes(self) -> Iterator[tuple[Attribute, str]]:
        """Those that differ. A stored value that is no choice any more stays until it is changed."""
        for attribute, before in self.attributes.items():
            text = self.cleaned_data.get(attribute.name, before)
            if text != before:
                yield attribute, text


def _field(attribute: Attribute, stored: str) -> forms.Field:
    options: dict[str, Any] = {"label": str(attribute), "required": False}
    match AttributeType(attribute.type):
        case AttributeType.TEXT:
            return FormLine(max_length=MAX_TEXT, **options)
        case AttributeType.NUMBER:
            return FormLine(widget=forms.TextInput(attrs={"inputmode": "decimal"}), max_length=MAX_TEXT, **options)
        case AttributeType.DAY:
            return FormLine(widget=forms.TextInput(attrs=when("date")), **options)
        case AttributeType.CHOICE:
            names = dict.fromkeys(("", *attribute.choices, stored))
            return forms.ChoiceField(choices=[(name, name or "–") for name in names], **options)
