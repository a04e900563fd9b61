"""The form of a command that customers define."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.commands.argument_fields import EntriesField, NumberEntryField
from tms.commands.argument_schemas import MAX_SCHEMA_BYTES, BadSchema
from tms.commands.definitions import MAX_LABEL, MAX_TYPES, NAME, DefinitionValues, check_arguments, file_type_error
from tms.commands.kinds import CATALOG, CHANGES, MAX_FILE_BYTES, MAX_FILES, MAX_RESULT_BYTES
from tms.commands.models import CommandDefinition, Danger
from tms.commands.schema_positions import line_of
from tms.commands.services import MAX_ANSWER_S
from tms.fleet.models import TerminalKind
from tms.lib.forms import Plain
from tms.lib.forms.json_field import JsonField
from tms.lib.text_fields import FormLine

MAX_NAME = 64
MAX_TEXT = 2 * MAX_SCHEMA_BYTES
"""Characters of a schema, with its layout."""
FILES = ("file_types", "max_file_bytes")
EXAMPLE = """\
{
  "type": "object",
  "properties": {
    "copies": {
      "type": "integer", "minimum": 1, "maximum": 5, "default": 1,
      "title": "Copies", "x-title-ja": "部数"
    }
  },
  "additionalProperties": false
}"""
STORED = ("label", "label_ja", "kinds", "terminal_models", "danger", "answer_within_s", "max_result_bytes", *FILES)
"""Fields that have the value of the definition."""
DANGERS = {
    Danger.NONE: _("Sent at once."),
    Danger.INTERRUPTS: _("Shows the impact first, and keeps the last lane of an open site."),
    Danger.CUTS_LINK: _("The same, and a job sends it to one terminal of a site at a time."),
    Danger.DELETES_DATA: _("The same, and needs a second person. It cannot be a job."),
}


class SchemaField(JsonField):
    """JSON Schema. An error says the line."""

    def clean(self, value: Any) -> Any:
        schema = super().clean(value)
        try:
            check_arguments(schema)
        except BadSchema as error:
            line = line_of(str(value), error.where)
            raise ValidationError(
                gettext("Line %(line)s: %(problem)s") % {"line": line, "problem": str(error)}
            ) from None
        return schema


class DefinitionForm(Plain, forms.Form):
    label = FormLine(label=_("Name"), max_length=MAX_LABEL)
    label_ja = FormLine(label=_("Japanese name"), max_length=MAX_LABEL, required=False)
    name = FormLine(
        label=pgettext_lazy("command", "Id"), max_length=MAX_NAME, help_text=_("The handler of the terminal.")
    )
    kinds = forms.MultipleChoiceField(
        label=_("Kinds"),
        choices=TerminalKind,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("None for all."),
    )
    terminal_models = EntriesField(label=_("Models"), help_text=_("One a line; none for all."), required=False)
    answer_within_s = NumberEntryField(label=_("Answer within (seconds)"), min_value=1, max_value=MAX_ANSWER_S)
    max_result_bytes = forms.IntegerField(
        label=_("Largest result (bytes)"),
        min_value=1,
        max_value=MAX_RESULT_BYTES,
        help_text=_("A larger result fails."),
    )
    uploads = forms.IntegerField(
        label=_("Files"), min_value=0, max_value=MAX_FILES, help_text=_("How many files it uploads; 0 for none.")
    )
    file_types = EntriesField(label=_("Media types"), help_text=_("One a line, such as text/plain."), required=False)
    max_file_bytes = forms.IntegerField(label=_("Largest file (bytes)"), min_value=1, max_value=MAX_FILE_BYTES)
    danger = forms.ChoiceField(label=pgettext_lazy("command", "Danger"), choices=Danger, widget=forms.RadioSelect)
    arguments = SchemaField(label=_("Arguments (JSON Schema)"), max_length=MAX_TEXT, rows=14)
    version = FormLine(required=False, max_length=MAX_NAME, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, definition: CommandDefinition, version: object = "") -> None:
        super().__init__(data)
        self.initial = {name: getattr(definition, name) for name in STORED} | {"uploads": definition.files}
        self.initial |= {"arguments": definition.arguments_text or definition.arguments or EXAMPLE, "version": version}
        if definition.pk:
            del self.fields["name"]
        self.dress()

    @property
    def dangers(self) -> list[tuple[Any, Any]]:
        """Each choice, with what it means."""
        return [(one, DANGERS[Danger(one.data["value"])]) for one in self["danger"]]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not NAME.fullmatch(name):
            raise ValidationError(gettext("Use a-z, 0-9, - and _, beginning with a letter."))
        if name in CATALOG | CHANGES or CommandDefinition.objects.filter(name=name).exists():
            raise ValidationError(gettext("Another command has this id. Choose a different one."))
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if file_type_error(cleaned.get("file_types", ()), is_needed=bool(cleaned.get("uploads"))):
            text = gettext("Enter 1 to %(most)s media types such as text/plain, in lower case.")
            self.add_error("file_types", text % {"most": MAX_TYPES})
        return cleaned

    @property
    def values(self) -> DefinitionValues:
        """What a valid form defines."""
        given = {name: self.cleaned_data[name] for name in DefinitionValues.__dataclass_fields__ if name in self.fields}
        text = self["arguments"].value()
        own = {"danger": Danger(given["danger"]), "files": self.cleaned_data["uploads"], "arguments_text": text}
        return DefinitionValues(**given | own)
