"""Forms of the tags and attributes of one row, and of all tags and attributes."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.fleet.labels.attributes import MAX_TEXT, BadValue, read_value
from tms.fleet.labels.tags import normalized
from tms.fleet.models import Attribute, AttributeType
from tms.fleet.models.attribute import MAX_CHOICES
from tms.fleet.models.tag import MAX_TAG_CHARACTERS
from tms.lib.forms import Plain, when
from tms.lib.forms.combobox import Suggestions
from tms.lib.text_fields import FormLine, FormLines

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
        """What differs. A stored value that is no choice any more stays until it is changed."""
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


class RenameForm(Plain, forms.Form):
    """Another name for a tag; that of another tag merges both."""

    to = FormLine(label=_("New name"), max_length=MAX_TAG_CHARACTERS)

    def __init__(self, data: Any = None, *, name: str) -> None:
        super().__init__(data, initial={"to": name})
        self.name = name
        self.dress()

    def clean_to(self) -> str:
        (to,) = normalized([self.cleaned_data["to"]])
        if to == self.name:
            raise ValidationError(gettext("Type another name."))
        return to


class AttributeForm(Plain, forms.ModelForm):  # type: ignore[type-arg]  # generic to the type checker only
    """The definition of an attribute. Type and subject of a stored one stay: its values have them."""

    name = FormLine(label=_("Name"), max_length=32, help_text=_("Its name in queries: attr.floor:2"))
    choices = FormLines(
        label=_("Choices"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One a line, at most 100."),
    )

    class Meta:
        model = Attribute
        fields = ("name", "label", "label_ja", "type", "subject", "choices")

    def __init__(self, data: Any = None, *, instance: Attribute) -> None:
        super().__init__(data, instance=instance, initial={"choices": "\n".join(map(str, instance.choices))})
        if instance.pk:
            del self.fields["type"], self.fields["subject"]
            if instance.type != AttributeType.CHOICE:
                del self.fields["choices"]
        self.dress()

    def clean_choices(self) -> list[str]:
        lines = (line.strip() for line in self.cleaned_data["choices"].splitlines())
        found = list(dict.fromkeys(filter(None, lines)))
        if len(found) > MAX_CHOICES:
            raise ValidationError(gettext("At most 100 choices."))
        if any(len(each) > MAX_TEXT for each in found):
            raise ValidationError(gettext("At most 200 characters a choice."))
        return found

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        is_choice = given.get("type", self.instance.type) == AttributeType.CHOICE
        if is_choice and "choices" in given and not given["choices"]:
            self.add_error("choices", gettext("Type at least one choice."))
        if not is_choice and "choices" in given:
            given["choices"] = []
        return given
