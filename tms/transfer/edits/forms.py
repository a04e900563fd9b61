"""The form of a bulk edit."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import permitted, visible
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.fleet.models import Attribute, AttributeSubject, Group, Site, Terminal, TerminalTag
from tms.lib.forms import Plain
from tms.lib.forms.combobox import split_keys
from tms.lib.text_fields import FormLine
from tms.protocol.text import clean
from tms.transfer.edits.planning import EditTarget
from tms.transfer.kinds.edits import MAX_PICKED, STATES, Edit, EditKind, MemberChange, checked

MAX_QUERY = 2_000
MAX_EXAMPLES = 20
FIELDS: Mapping[EditKind, tuple[str, ...]] = {
    EditKind.TAG: ("tags",),
    EditKind.UNTAG: ("tags",),
    EditKind.ATTRIBUTE: ("attribute", "value"),
    EditKind.GROUP: ("change", "group"),
    EditKind.STATE: ("lifecycle",),
    EditKind.MOVE: ("site",),
}


def target_of(data: QueryDict) -> EditTarget:
    """The terminals of a selection: `all=1` with the query `q`, or UIDs, one or several in each `terminal`."""
    if data.get("all") == "1":
        return EditTarget(clean(data.get("q", "")).strip()[:MAX_QUERY])
    uids = split_keys([clean(text) for text in data.getlist("terminal")])
    return EditTarget(None, list(dict.fromkeys(uids))[: MAX_PICKED + 1])


class EditForm(Plain, forms.Form):
    """The fields of one kind of edit, and the reason."""

    tags = FormLine(label=_("Tags"), max_length=900)
    attribute = forms.ChoiceField(label=_("Attribute"))
    value = FormLine(label=_("Value"), max_length=200, required=False, help_text=_("Empty to remove it."))
    change = forms.ChoiceField(label=_("Change"), choices=MemberChange)
    group = forms.ModelChoiceField(Group.objects.none(), label=_("Group"))
    lifecycle = forms.ChoiceField(label=_("State"), choices=[(state.value, state.label) for state in STATES])
    site = forms.ModelChoiceField(Site.objects.none(), label=_("Site"), to_field_name="code")
    comment = FormLine(label=_("Reason, kept in the audit trail"), max_length=200, required=False)

    def __init__(
        self, data: Any, *, kind: EditKind, by: User, at: datetime, rows: QuerySet[Terminal] | None = None
    ) -> None:
        super().__init__(data)
        self.kind, self.by, self.at = kind, by, at
        for name in set(self.fields) - {*FIELDS[kind], "comment"}:
            del self.fields[name]
        self._choose(rows)
        self.dress()

    def _choose(self, rows: QuerySet[Terminal] | None) -> None:
        """What there is to choose from."""
        chosen: dict[str, Any] = self.fields
        if "attribute" in chosen:
            defined = Attribute.objects.filter(subject=AttributeSubject.TERMINAL)
            chosen["attribute"].choices = [(each.name, str(each)) for each in defined]
        if "group" in chosen:
            groups = visible(Group.objects.filter(query=""), to=self.by)
            chosen["group"].queryset = permitted(groups, by=self.by, permission=Permission.MANAGE_GROUPS)
        if "site" in chosen:
            sites = Site.objects.filter(closed_at=None).order_by("code")
            chosen["site"].queryset = permitted(sites, by=self.by, permission=Permission.MANAGE_TERMINALS)
        if "tags" in chosen:
            chosen["tags"].help_text = self._existing_tags(rows)

    def _existing_tags(self, rows: QuerySet[Terminal] | None) -> str:
        """The tags of these terminals, to remove some; those of any, to add some."""
        tags = visible(TerminalTag.objects.all(), to=self.by)
        if self.kind is EditKind.UNTAG and rows is not None:
            tags = tags.filter(terminal__in=rows.order_by().values("pk"))
        names = tags.order_by("name").values_list("name", flat=True).distinct()[:MAX_EXAMPLES]
        return gettext("Separated by spaces. There are: %(tags)s") % {"tags": ", ".join(names) or "–"}

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if self.errors:
            return given
        group, site = given.get("group"), given.get("site")
        edit = Edit(
            self.kind,
            tags=tuple(split_keys([given.get("tags", "").replace("、", " ")])),
            attribute=given.get("attribute", ""),
            value=given.get("value", ""),
            group=group.pk if group else 0,
            change=MemberChange(given.get("change", MemberChange.ADD)),
            lifecycle=given.get("lifecycle", ""),
            site=site.code if site else "",
            comment=given["comment"],
        )
        try:
            self.edit = checked(edit, by=self.by, at=self.at)
        except ValidationError as error:
            self.add_error(None, error)
        return given
