"""Forms for grants, teams, roles and service accounts."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.accounts import access
from tms.accounts.access import grant_scopes
from tms.accounts.access.grant_scopes import GrantScope
from tms.accounts.api_tokens import MAX_DAYS
from tms.accounts.models import Role, Team, TokenScope, User
from tms.accounts.permissions import Permission
from tms.lib.forms import Plain
from tms.lib.forms.bases import ModelForm
from tms.lib.text_fields import FormLine


class GrantForm(Plain, forms.Form):
    """A role for a scope, of those that a person may grant."""

    role = forms.ModelChoiceField(Role.objects.none(), label=_("Role"))
    scope = forms.ChoiceField(
        label=pgettext_lazy("of a grant", "Scope"), error_messages={"required": _("Choose a scope.")}
    )
    found: GrantScope

    def __init__(self, *args: Any, by: User, address: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by, self.address = by, address
        self.fields["role"].queryset = grantable(by)  # type: ignore[attr-defined]
        options = grant_scopes.choices(access.scope_of(by, Permission.MANAGE_PEOPLE))
        self.fields["scope"].choices = [("", _("Choose a scope")), *options]  # type: ignore[attr-defined]
        self.dress()

    def clean_scope(self) -> str:
        key: str = self.cleaned_data["scope"]
        found = grant_scopes.parse(key)
        if found is None:
            raise ValidationError(gettext("This scope no longer exists. Choose another one."))
        self.found = found
        return key

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        role, scope = cleaned.get("role"), cleaned.get("scope")
        if role and scope and not access.may_grant(self.by, role, self.found.value):
            text = gettext("You may grant only what you hold: not %(role)s for %(scope)s.")
            raise ValidationError(text % {"role": role, "scope": self.found.label})
        return cleaned


def grantable(by: User) -> Any:
    """The roles whose permissions `by` holds somewhere."""
    held = {permission for permission in Permission if access.may(by, permission)}
    return Role.objects.filter(pk__in=[role.pk for role in Role.objects.all() if role.known_permissions <= held])


class TeamForm(Plain, ModelForm[Team]):
    class Meta:
        model = Team
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dress()


class TeamMemberForm(Plain, forms.Form):
    """A person who joins a team."""

    person = forms.ModelChoiceField(User.objects.none(), label=pgettext_lazy("account", "Person"))

    def __init__(self, *args: Any, people: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = people  # type: ignore[attr-defined]
        self.fields["person"].label_from_instance = label_of  # type: ignore[attr-defined]
        self.dress()


def label_of(person: User) -> str:
    name = person.display_name
    return name if name == person.username else f"{name} ({person.username})"


class OwnRoleForm(Plain, ModelForm[Role]):
    """A role of the customer's own, of permissions that its editor holds everywhere."""

    permissions = forms.MultipleChoiceField(label=_("Permissions"), required=False, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = Role
        fields = ("name", "description", "permissions")

    def __init__(self, *args: Any, choosable: Collection[Permission], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        retained = self.instance.known_permissions - frozenset(choosable)
        self.retained = sorted(permission.key for permission in retained)
        self.fields["permissions"].choices = [(permission.key, permission.label) for permission in choosable]  # type: ignore[attr-defined]
        self.dress()

    def clean_permissions(self) -> list[str]:
        """The permissions with those that the editor does not hold, which stay as they are."""
        return sorted({*self.cleaned_data["permissions"], *self.retained})


class ServiceAccountForm(GrantForm):
    """A program with its first grant."""

    name = FormLine(label=_("Name"), max_length=100, help_text=_("Which program it is for: warehouse export"))

    field_order = ("name", "role", "scope")


class ServiceTokenForm(Plain, forms.Form):
    """A token of a service account."""

    name = FormLine(label=_("Name"), max_length=100)
    scope = forms.ChoiceField(label=_("Scope"), choices=TokenScope, initial=TokenScope.FULL, required=False)
    days = forms.IntegerField(label=_("Valid for (days)"), min_value=1, max_value=MAX_DAYS, initial=365)

    def __init__(self, *args: Any, address: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = address
        self.dress()

    def clean_scope(self) -> TokenScope:
        return TokenScope(self.cleaned_data["scope"] or TokenScope.FULL)
