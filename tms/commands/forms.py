"""The form with which a person sends a command to a terminal."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from tms.accounts import access
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.commands import catalogue
from tms.commands.argument_schemas import faults
from tms.fleet.models import Terminal

ANSWER_WITHIN = (("30", _("30 s")), ("120", _("2 min")), ("600", _("10 min")))


DELIVER_WITHIN = (("3600", _("If back within 1 h")), ("86400", _("If back within 1 day")))


class CommandForm(forms.Form):
    """Its fields are what `tms.commands.services.queue` asks for."""

    name = forms.ChoiceField()
    answer_within_s = forms.TypedChoiceField(choices=ANSWER_WITHIN, coerce=float)
    deliver_within_s = forms.TypedChoiceField(choices=DELIVER_WITHIN, coerce=float)

    def clean(self) -> dict[str, Any]:
        """An upload takes longer than an answer: a command with files gets at least the time that it says."""
        cleaned = super().clean() or self.cleaned_data
        spec = catalogue.find(cleaned.get("name", ""))
        if spec is not None and spec.files and "answer_within_s" in cleaned:
            cleaned["answer_within_s"] = max(cleaned["answer_within_s"], spec.answer_within_s)
        return cleaned

    def __init__(self, data: QueryDict | None = None, *, person: User, terminal: Terminal) -> None:
        """Offer the commands that `person` may send to the terminal, and that need no arguments."""
        super().__init__(data)
        may_all = access.may(person, Permission.SEND_DANGEROUS_COMMANDS, terminal)
        names = self.fields["name"]
        assert isinstance(names, forms.ChoiceField)
        names.choices = [
            (spec.name, spec.label)
            for spec in catalogue.offered(terminal)
            if (may_all or not spec.is_dangerous) and faults(dict(spec.arguments), {}) is None
        ]
