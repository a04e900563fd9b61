"""Forms of rounds and inspections."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import grant_scopes
from tms.accounts.access.grant_scopes import GrantScope
from tms.accounts.access.owner_form import OwnerField
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.fleet.models import TerminalKind
from tms.inspections.models import DUE_EVERY_DAYS, DeviceSeal, InspectionResult, Surrounding
from tms.inspections.photos import MAX_BYTES, BadPhoto, Photo, clean_photo
from tms.inspections.services import MAX_SEALS, Findings, RoundValues
from tms.lib.forms import Plain
from tms.lib.forms.fields import when
from tms.lib.text_fields import FormLine, FormLines

FREE_SEALS = 2
"""Empty lines for new seals."""


class RoundForm(Plain, forms.Form):
    name = FormLine(label=_("Name"), max_length=100)
    kinds = forms.MultipleChoiceField(
        label=_("Kinds of terminals"),
        choices=TerminalKind.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: all kinds."),
    )
    due_on = forms.DateField(label=_("Due"), widget=forms.DateInput(attrs=when("date"), format="%Y-%m-%d"))
    every_days = forms.IntegerField(
        label=_("Inspect every (days)"),
        min_value=1,
        max_value=1_000,
        initial=DUE_EVERY_DAYS,
        help_text=_("A device is due so many days after its last inspection, at the latest when the round is due."),
    )

    def __init__(self, *args: Any, by: User, **options: Any) -> None:
        super().__init__(*args, **options)
        where = OwnerField(by, Permission.MANAGE_INSPECTIONS, None)
        where.label, where.help_text = _("Where"), _("The terminals that are in service there now, with a device.")
        self.fields["where"] = where
        self.order_fields(("name", "where", "kinds", "due_on", "every_days"))
        self.dress()

    def clean_due_on(self) -> date:
        due_on: date = self.cleaned_data["due_on"]
        if due_on < timezone.localdate():
            raise ValidationError(gettext("Choose today or a later day."))
        return due_on

    @property
    def values(self) -> RoundValues:
        found = self.cleaned_data
        where = grant_scopes.parse(found["where"]) or GrantScope()
        return RoundValues(found["name"], found["due_on"], where, tuple(found["kinds"]), found["every_days"])


class CloseRoundForm(Plain, forms.Form):
    comment = FormLine(label=_("Reason"), max_length=500, required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.dress()


class SealForm(Plain, forms.Form):
    INTACT, BROKEN = "intact", "broken"
    number = FormLine(label=_("Number"), max_length=40, required=False)
    where = FormLine(label=pgettext_lazy("seal", "Where"), max_length=80, required=False)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        widget=forms.RadioSelect,
        choices=((INTACT, pgettext_lazy("seal", "Intact")), (BROKEN, pgettext_lazy("seal", "Broken"))),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.dress()

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if found.get("number") and not found.get("state"):
            self.add_error("state", gettext("Choose whether it is intact."))
        return found

    @property
    def seal(self) -> DeviceSeal | None:
        """None if the line is empty: the device has no such seal."""
        found = self.cleaned_data
        if not found.get("number"):
            return None
        return DeviceSeal(found["number"], found.get("where", ""), found["state"] == self.INTACT)


SealForms = forms.formset_factory(SealForm, extra=FREE_SEALS, max_num=MAX_SEALS, absolute_max=MAX_SEALS)


class InspectionForm(Plain, forms.Form):
    """What a person found. The form knows neither the device nor the round: the service compares."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    corrects = forms.IntegerField(widget=forms.HiddenInput, required=False)
    done_at = forms.DateTimeField(widget=forms.HiddenInput, required=False)
    """Set by the script of the page if the form was kept on the phone."""
    result = forms.ChoiceField(choices=InspectionResult.choices)
    seen_serial = FormLine(label=_("Serial number"), max_length=64, required=False)
    surroundings = forms.MultipleChoiceField(
        choices=Surrounding.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    photo = forms.FileField(label=_("Photo"), required=False, allow_empty_file=True)
    note = FormLines(label=_("Note"), max_length=500, required=False)

    def __init__(self, *args: Any, seals: list[dict[str, Any]] | None = None, **options: Any) -> None:
        """`seals`: those of the last inspection of the device."""
        super().__init__(*args, **options)
        known = [{"number": seal["number"], "where": seal["where"]} for seal in (seals or ())]
        self.seals = SealForms(self.data if self.is_bound else None, initial=known, prefix="seals")
        self.dress()

    def clean_photo(self) -> Photo | None:
        file = self.cleaned_data["photo"]
        if not file:
            return None
        try:
            return clean_photo(file.read(MAX_BYTES + 1))
        except BadPhoto as bad:
            raise ValidationError(bad.text) from None

    def is_valid(self) -> bool:
        are_valid = self.seals.is_valid()
        return super().is_valid() and are_valid

    @property
    def found(self) -> Findings:
        found = self.cleaned_data
        return Findings(
            result=InspectionResult(found["result"]),
            seen_serial=found["seen_serial"],
            seals=tuple(seal for form in self.seals.forms if (seal := form.seal)),
            surroundings=frozenset(map(Surrounding, found["surroundings"])),
            note=found["note"],
            photo=found["photo"],
        )

    def add_faults(self, error: ValidationError) -> None:
        """What the service found wrong."""
        for name, texts in error.message_dict.items():
            self.add_error(name if name in self.fields else None, texts)
