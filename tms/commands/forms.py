"""The form with which a person sends a command to a terminal."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts import access
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.commands import catalogue
from tms.commands.argument_form import ArgumentForm, argument_form
from tms.commands.kinds import CommandSpec
from tms.fleet.models import Terminal

AS_DEFINED = ""
ANSWER_WITHIN = ((AS_DEFINED, _("As defined")), ("30", _("30 s")), ("120", _("2 min")), ("600", _("10 min")))


DELIVER_WITHIN = (("3600", _("If back within 1 h")), ("86400", _("If back within 1 day")))


class CommandForm(forms.Form):
    """Its `values` are what `tms.commands.services.queue` asks for. `arguments` is the form of the chosen command."""

    name = forms.ChoiceField()
    answer_within_s = forms.TypedChoiceField(choices=ANSWER_WITHIN, coerce=float, empty_value=None, required=False)
    deliver_within_s = forms.TypedChoiceField(choices=DELIVER_WITHIN, coerce=float)

    def __init__(
        self, data: QueryDict | None = None, *, person: User, terminal: Terminal, chosen: str | None = None
    ) -> None:
        """Offer the commands that `person` may send to the terminal. `chosen` by name, by default the first."""
        super().__init__(data)
        may_all = access.may(person, Permission.SEND_DANGEROUS_COMMANDS, terminal)
        able, everything = catalogue.able_of([terminal])[terminal.pk], catalogue.everything()
        offered = [spec for spec in everything if able.is_offered(spec)]
        self.specs = {spec.name: spec for spec in offered if may_all or not spec.is_dangerous}
        self.unsupported = [
            spec for spec in everything if spec not in offered and spec.suits(terminal.kind, terminal.model)
        ]
        names = self.fields["name"]
        assert isinstance(names, forms.ChoiceField)
        names.choices = _groups(self.specs.values())
        wanted = data.get("name", "") if data is not None else chosen
        first = next(iter(self.specs), "") if wanted is None else wanted
        self.initial["name"], self.spec = first, self.specs.get(first)
        self.arguments: ArgumentForm | None = argument_form(self.spec, data) if self.spec else None

    def is_valid(self) -> bool:
        return super().is_valid() and (self.arguments is None or self.arguments.is_valid())

    @property
    def values(self) -> dict[str, Any]:
        """What a valid form sends."""
        assert self.spec is not None
        assert self.arguments is not None
        answer_within_s = self.cleaned_data["answer_within_s"] or self.spec.answer_within_s
        if self.spec.files:  # an upload takes longer than an answer
            answer_within_s = max(answer_within_s, self.spec.answer_within_s)
        return {**self.cleaned_data, "answer_within_s": answer_within_s, "args": self.arguments.arguments}

    @property
    def entered(self) -> list[tuple[str, str]]:
        """What was entered, for the same form after a question."""
        arguments = () if self.arguments is None else map(self.arguments.add_prefix, self.arguments.fields)
        assert isinstance(self.data, QueryDict)
        return [(name, value) for name in (*self.fields, *arguments) for value in self.data.getlist(name)]


def _groups(specs: Iterable[CommandSpec]) -> list[tuple[str, list[tuple[str, Any]]]]:
    groups: dict[str, list[tuple[str, Any]]] = {}
    for spec in sorted(specs, key=lambda spec: (spec.is_dangerous, not spec.is_builtin)):
        kind = gettext("Built in") if spec.is_builtin else gettext("Your own")
        groups.setdefault(gettext("Dangerous") if spec.is_dangerous else kind, []).append((spec.name, spec.label))
    return list(groups.items())
