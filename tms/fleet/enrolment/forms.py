"""Forms to enrol one terminal, to let many enrol, and to rotate the keys of a site."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import permitted
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.fleet.enrolment.tokens import MAX_SERIALS, MAX_USES, MAX_VALIDITY_OF_MANY, TokenLimits
from tms.fleet.models import Region, Site, Terminal, TerminalKind
from tms.fleet.terminals.services import TerminalValues
from tms.lib.forms import Plain
from tms.lib.text_fields import FormLine, FormLines
from tms.protocol.credential import UID

HOURS = {1: _("1 hour"), 4: _("4 hours"), 24: _("1 day")}
OVERLAPS = {3_600: _("1 hour"), 86_400: _("1 day"), 604_800: _("7 days"), 2_592_000: _("30 days")}
"""How long keys of before a rotation stay valid, in seconds."""
DEFAULT_OVERLAP_S = 604_800
MAX_DAYS = MAX_VALIDITY_OF_MANY.days
DEFAULT_DAYS = 30
MAX_SERIAL_CHARACTERS = 64


class SiteField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic to the type checker only
    """A site by its code."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Site.objects.none(), to_field_name="code", **options)

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.code}  {obj.local_name}"


def sites_to_enrol_at(person: User, *, creates: bool) -> QuerySet[Site]:
    """Open sites where the person may enrol terminals and, if it `creates` them, may do that, too."""
    rows = permitted(Site.objects.filter(closed_at=None), by=person, permission=Permission.ENROL_TERMINALS)
    return permitted(rows, by=person, permission=Permission.MANAGE_TERMINALS) if creates else rows


class EnrolForm(Plain, forms.Form):
    """One new terminal."""

    site = SiteField(label=_("Site"))
    kind = forms.ChoiceField(label=_("Kind"), choices=TerminalKind, initial=TerminalKind.KIOSK)
    label = FormLine(label=_("Location"), max_length=100, required=False)
    uid = FormLine(label=_("UID"), max_length=64, required=False)
    hours = forms.TypedChoiceField(label=_("Token valid for"), coerce=int, choices=[*HOURS.items()], initial=1)

    def __init__(self, data: Any = None, *, by: User, site: str = "") -> None:
        super().__init__(data, initial={"site": site})
        self.sites = sites_to_enrol_at(by, creates=True)
        self.fields["site"].queryset = self.sites  # type: ignore[attr-defined]
        self.fields["uid"].widget.attrs.update({"autocomplete": "off", "spellcheck": "false"})
        self.dress()

    def clean_uid(self) -> str:
        uid: str = self.cleaned_data["uid"]
        if uid and not UID.fullmatch(uid):
            raise ValidationError(gettext("Use letters, digits, - and _, and begin with a letter or digit."))
        if uid and Terminal.objects.filter(uid=uid).exists():
            raise ValidationError(gettext("Another terminal has this UID. Choose another one."))
        return uid

    @property
    def values(self) -> TerminalValues:
        chosen = self.cleaned_data
        return TerminalValues(chosen["site"], TerminalKind(chosen["kind"]), chosen["label"])

    @property
    def valid(self) -> timedelta:
        return timedelta(hours=self.cleaned_data["hours"])


class ManyForm(Plain, forms.Form):
    """A token for many terminals of a site or a region."""

    name = FormLine(label=_("Name"), max_length=100)
    site = SiteField(label=_("Site"), required=False)
    region = forms.ModelChoiceField(Region.objects.none(), to_field_name="name", label=_("Or region"), required=False)
    kind = forms.ChoiceField(
        label=_("Kind"), choices=[("", _("As each device says")), *TerminalKind.choices], required=False
    )
    uses = forms.IntegerField(label=_("Number of terminals"), min_value=1, max_value=MAX_USES, required=False)
    days = forms.IntegerField(label=_("Days of validity"), min_value=1, max_value=MAX_DAYS, initial=DEFAULT_DAYS)
    serials = FormLines(
        label=_("Serial numbers, one a line"),
        help_text=_("Only these devices may use the token. Leave empty for any."),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        required=False,
    )

    def __init__(self, data: Any = None, *, by: User) -> None:
        super().__init__(data)
        self.fields["site"].queryset = sites_to_enrol_at(by, creates=False)  # type: ignore[attr-defined]
        regions = permitted(Region.objects.all(), by=by, permission=Permission.ENROL_TERMINALS)
        self.fields["region"].queryset = regions  # type: ignore[attr-defined]
        self.fields["name"].widget.attrs["placeholder"] = gettext("Store opening, Kobe")
        self.dress()

    def clean_serials(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["serials"].splitlines()]
        for number, line in enumerate(lines, start=1):
            if len(line) > MAX_SERIAL_CHARACTERS:
                text = gettext("Line %(line)d: a serial number has at most %(most)d characters.")
                raise ValidationError(text % {"line": number, "most": MAX_SERIAL_CHARACTERS})
        serials = list(dict.fromkeys(filter(None, lines)))
        if len(serials) > MAX_SERIALS:
            raise ValidationError(gettext("Enter at most 10,000 serial numbers, or upload them as a list."))
        return serials

    def clean(self) -> dict[str, Any]:
        chosen = self.cleaned_data
        if "site" in chosen and "region" in chosen and bool(chosen["site"]) == bool(chosen["region"]):
            self.add_error("site", gettext("Choose a site or a region, one of them."))
        serials = chosen.get("serials")
        if serials is not None and "uses" in chosen:
            self._check_uses(chosen["uses"], len(serials))
        return chosen

    def _check_uses(self, uses: int | None, serials: int) -> None:
        if uses is None and not serials:
            self.add_error("uses", gettext("Enter how many terminals may use the token."))
        elif uses and serials and uses > serials:
            text = ngettext(
                "The list has %(number)d serial number.", "The list has %(number)d serial numbers.", serials
            )
            self.add_error("uses", text % {"number": serials})
        elif uses == 1 and not serials and (self.cleaned_data.get("days") or 1) > 1:
            self.add_error("days", gettext("A token for one terminal is valid for 1 day. Enter 1."))

    @property
    def limits(self) -> TokenLimits:
        chosen = self.cleaned_data
        return TokenLimits(
            site=chosen["site"],
            region=chosen["region"].name if chosen["region"] else "",
            kind=chosen["kind"],
            uses=chosen["uses"] or len(chosen["serials"]),
            serials=chosen["serials"],
            name=chosen["name"],
        )

    @property
    def valid(self) -> timedelta:
        return timedelta(days=self.cleaned_data["days"])


class FactoryForm(Plain, forms.Form):
    file = forms.FileField(label=_("CSV file"), widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}))

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files)
        self.dress()


class SiteKeysForm(Plain, forms.Form):
    overlap = forms.TypedChoiceField(
        label=pgettext_lazy("keys", "Present keys stay valid for"),
        coerce=lambda seconds: timedelta(seconds=int(seconds)),
        choices=[*OVERLAPS.items()],
        initial=DEFAULT_OVERLAP_S,
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.dress()
