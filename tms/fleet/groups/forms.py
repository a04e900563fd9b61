"""Forms of groups: the name, and terminals that become members."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import permitted
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.fleet.groups import dynamic
from tms.fleet.models import Group, Terminal
from tms.lib.forms import Plain
from tms.lib.forms.combobox import RowsField, Suggestions
from tms.lib.text_fields import FormLine
from tms.query.errors import QueryError


class GroupForm(Plain, forms.Form):
    """The name, and the query for those who may choose from the whole fleet."""

    name = FormLine(label=_("Name"), max_length=100)
    query = FormLine(
        label=_("Query"),
        max_length=2_000,
        required=False,
        help_text=_("Empty: people choose the members. Or, for example, kind:kiosk firmware<4.8 -tag:pilot"),
    )

    def __init__(self, *args: Any, group: Group, has_query: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group
        self.initial.setdefault("name", group.name)
        self.initial.setdefault("query", group.query)
        if not has_query:
            del self.fields["query"]
        self.dress()

    def clean_query(self) -> str:
        text: str = self.cleaned_data["query"]
        try:
            if text:
                dynamic.read_query(text)
        except QueryError as error:
            raise ValidationError(str(error)) from None
        return text

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if Group.objects.filter(name=name).exclude(pk=self.group.pk).exists():
            raise ValidationError(gettext("Another group has this name. Choose a different one."))
        return name


class MembersForm(Plain, forms.Form):
    """Terminals to add: of those for which the person may manage groups."""

    terminals = RowsField(
        Terminal.objects.none(),
        key="uid",
        widget=Suggestions("suggest-terminals", **{"for": Permission.MANAGE_GROUPS.key}),
        unknown=_("Not found, or you may not put them into groups: %(keys)s"),
        label=_("Add terminals"),
        help_text=_("Search, or paste UIDs with spaces, commas or line breaks between them."),
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = permitted(Terminal.objects.order_by("uid"), by=by, permission=Permission.MANAGE_GROUPS)
        self.fields["terminals"].queryset = rows  # type: ignore[attr-defined]
        self.dress()


class MemberRemovalForm(forms.Form):
    """Members that were ticked."""

    terminal = forms.ModelMultipleChoiceField(Terminal.objects.none(), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, members: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["terminal"].queryset = members  # type: ignore[attr-defined]
