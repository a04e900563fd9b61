"""Forms of groups: the name, and terminals that become members."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import permitted
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.fleet.models import Group, Terminal
from tms.lib.forms import Plain
from tms.lib.forms.combobox import RowsField, Suggestions
from tms.lib.text_fields import FormLine


class GroupForm(Plain, forms.Form):
    name = FormLine(label=_("Name"), max_length=100)

    def __init__(self, *args: Any, group: Group, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group
        self.initial.setdefault("name", group.name)
        self.dress()

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
