"""The forms for one terminal: its identity, groups, keys and lifecycle state."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import may, permitted, visible
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.fleet.lifecycle import CHANGES, Lifecycle
from tms.fleet.models import DeviceState, Group, Site, Terminal, TerminalKind
from tms.fleet.models.device import AFTER_REMOVAL
from tms.fleet.terminals.services import TerminalValues
from tms.lib.db.natural_order import natural
from tms.lib.forms import Plain
from tms.lib.forms.combobox import RowsField, Suggestions
from tms.lib.text_fields import FormLine

MAX_COMMENT = 200
OVERLAPS = {3_600: _("1 hour"), 86_400: _("1 day"), 604_800: _("7 days")}
"""How long the keys before stay valid after a rotation, in seconds."""
BECOMES = [(state.value, state.label) for state in AFTER_REMOVAL]


class TerminalField(RowsField):
    """One terminal, by its UID; cleans to the terminal or None."""

    def clean(self, value: Any) -> Any:
        found = super().clean(value)
        if len(found) > 1:
            raise ValidationError(gettext("Choose one terminal only."), code="several")
        return found[0] if found else None


def terminal_field(label: Any, *, permission: Permission | None = None, **options: Any) -> TerminalField:
    query = {"for": permission.key} if permission else {}
    return TerminalField(
        Terminal.objects.order_by(natural("uid")),
        key="uid",
        label=label,
        widget=Suggestions("suggest-terminals", **query),
        unknown=_("Unknown terminals: %(keys)s. Check the UIDs."),
        **options,
    )


class TerminalForm(Plain, forms.Form):
    """What people set of a terminal."""

    site = forms.ModelChoiceField(Site.objects.none(), label=_("Site"), empty_label=None)
    kind = forms.ChoiceField(label=_("Kind"), choices=TerminalKind.choices)
    label = FormLine(label=_("Location"), max_length=100, required=False)
    parent = terminal_field(
        _("Connected via"),
        required=False,
        help_text=_("A router or gateway. While it is offline, nobody is notified of terminals behind it."),
    )

    def __init__(self, data: Any = None, *, terminal: Terminal, by: User) -> None:
        super().__init__(data, initial=initial_of(terminal))
        self.terminal, self.by = terminal, by
        self.fields["site"].queryset = sites_for(terminal, by=by)  # type: ignore[attr-defined]
        seen = visible(Terminal.objects.order_by(natural("uid")), to=by).exclude(pk=terminal.pk)
        self.fields["parent"].queryset = seen  # type: ignore[attr-defined]
        if terminal.parent is not None and not seen.filter(pk=terminal.parent.pk).exists():
            del self.fields["parent"]  # it stays as it is, and is not named
        self.dress()

    def clean_site(self) -> Site:
        site: Site = self.cleaned_data["site"]
        if site.pk != self.terminal.site_id and not may(self.by, Permission.MANAGE_TERMINALS, self.terminal.site):
            text = gettext("To move a terminal, you need the permission at both sites. You don't have it at %(site)s.")
            raise ValidationError(text % {"site": self.terminal.site})
        return site

    @property
    def values(self) -> TerminalValues:
        given = self.cleaned_data
        parent = given["parent"] if "parent" in self.fields else self.terminal.parent
        return TerminalValues(given["site"], TerminalKind(given["kind"]), given["label"], parent)


def initial_of(terminal: Terminal) -> dict[str, object]:
    parent = [terminal.parent] if terminal.parent else []
    return {"site": terminal.site_id, "kind": terminal.kind, "label": terminal.label, "parent": parent}


def sites_for(terminal: Terminal, *, by: User) -> QuerySet[Site]:
    """Its own, and the open ones to which the person may move it."""
    mine = permitted(Site.objects.filter(closed_at=None), by=by, permission=Permission.MANAGE_TERMINALS)
    return Site.objects.filter(Q(pk=terminal.site_id) | Q(pk__in=mine.order_by().values("pk"))).order_by(
        natural("code")
    )


class MembershipForm(Plain, forms.Form):
    """Adds the terminal to a group, or removes it."""

    change = forms.ChoiceField(choices=[("add", "add"), ("remove", "remove")], widget=forms.HiddenInput, initial="add")
    group = forms.ModelChoiceField(Group.objects.none(), label=_("Group"))

    def __init__(self, data: Any = None, *, by: User, besides: Terminal | None = None) -> None:
        """The form offers no group that `besides` is in already."""
        super().__init__(data)
        groups = permitted(Group.objects.order_by("name"), by=by, permission=Permission.MANAGE_GROUPS)
        if besides is not None:
            groups = groups.exclude(terminals=besides)
        self.fields["group"].queryset = groups  # type: ignore[attr-defined]
        self.dress()


class KeyRotationForm(Plain, forms.Form):
    overlap = forms.TypedChoiceField(
        label=_("The keys before stay valid for"),
        coerce=lambda seconds: timedelta(seconds=int(seconds)),
        choices=[*OVERLAPS.items()],
        initial=86_400,
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.dress()


class ReasonForm(Plain, forms.Form):
    comment = FormLine(label=_("Reason, kept in the audit trail"), max_length=MAX_COMMENT, required=False)

    def __init__(self, data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        self.dress()


class StateForm(ReasonForm):
    """Puts a terminal into service or takes it out. Retiring and bringing back have pages of their own."""

    to = forms.ChoiceField(label=pgettext_lazy("lifecycle", "New state"))

    field_order = ("to", "comment")

    def __init__(self, data: Any = None, *, terminal: Terminal, **options: Any) -> None:
        super().__init__(data, **options)
        self.fields["to"].choices = [(state.value, state.label) for state in next_states(terminal)]  # type: ignore[attr-defined]


def next_states(terminal: Terminal) -> list[Lifecycle]:
    if terminal.lifecycle == Lifecycle.RETIRED:
        return []
    return [state for state in CHANGES[Lifecycle(terminal.lifecycle)] if state is not Lifecycle.RETIRED]


class RemovalForm(ReasonForm):
    """What becomes of a device that is removed; `serial` is its serial number."""

    becomes = forms.TypedChoiceField(
        label=_("The device becomes"), choices=BECOMES, coerce=DeviceState, initial=DeviceState.SPARE.value
    )

    field_order: Sequence[str] = ("becomes", "comment")

    def __init__(self, data: Any = None, *, serial: str | None, **options: Any) -> None:
        """`serial`: None if there is no device."""
        super().__init__(data, **options)
        if serial is None:
            del self.fields["becomes"]
        elif serial:
            self.fields["becomes"].label = gettext("%(serial)s becomes") % {"serial": serial}

    @property
    def state(self) -> DeviceState:
        state: DeviceState = self.cleaned_data.get("becomes", DeviceState.SPARE)
        return state


class TypedForm(ReasonForm):
    """Asks for a typed `word` where a second person should approve it and nobody can."""

    typed = FormLine(max_length=64)

    def __init__(self, data: Any = None, *, word: str = "", **options: Any) -> None:
        super().__init__(data, **options)
        self.word = word
        if word:
            self.fields["typed"].label = gettext("Type %(number)s to do it anyway") % {"number": word}
        else:
            del self.fields["typed"]

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"]
        if typed.strip().casefold() != self.word.casefold():
            raise ValidationError(gettext("Type %(number)s to confirm.") % {"number": self.word})
        return typed


class RetireForm(RemovalForm, TypedForm):
    field_order = ("becomes", "comment", "typed")
