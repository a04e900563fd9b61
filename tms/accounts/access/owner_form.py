"""The owner of a row in forms: everything, a region, a site or a group, by the keys of `grant_scopes`."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import grant_scopes
from tms.accounts.access.grant_scopes import EVERYTHING_KEY, GrantScope
from tms.accounts.access.rights import Person
from tms.accounts.access.rows import scope_of
from tms.accounts.models import Owned
from tms.accounts.permissions import Permission
from tms.lib.forms.bases import ModelForm

OWNER = ("owner_region", "owner_site", "owner_group")
NOT_PERMITTED = _("Choose an owner for which you have this permission.")


class OwnerField(forms.ChoiceField):
    """Offers what the person has the permission for, and the current owner. Without a value, the owner stays."""

    def __init__(self, person: Person, permission: Permission, current: GrantScope | None) -> None:
        choices: grant_scopes.Choices = grant_scopes.choices(scope_of(person, permission))
        keys = list(_keys(choices))
        if current is not None and current.key not in keys:
            choices = [(current.key, capfirst(current.label)), *choices]
        self.default = current.key if current is not None else next(iter(keys), "")
        """The key of the owner to begin with; empty for people who have none to choose."""
        super().__init__(
            choices=choices,
            label=_("Owner"),
            required=False,
            help_text=_("Visible to people whose scope overlaps the owner."),
            error_messages={"invalid_choice": NOT_PERMITTED},
        )

    def clean(self, value: Any) -> Any:
        """An empty owner would be everything: it is refused to people for whom there is none to choose."""
        chosen = super().clean(value or self.default)
        if not chosen:
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return chosen


class OwnedForm[Row: Owned](ModelForm[Row]):
    """A form of a row with an owner, which a service checks and saves. `by`: the person who changes it."""

    permission: ClassVar[Permission]
    names: Mapping[str, str] = {}
    """Fields that have another name here than in the errors of the service, by the latter."""

    def __init__(self, *args: Any, by: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        self.by = by
        current = owner_of(self.instance) if self.instance.pk else None
        self.fields["owner"] = OwnerField(by, self.permission, current)
        if current is not None:
            self.initial["owner"] = current.key

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if owner := cleaned.get("owner"):
            set_owner(self.instance, owner)
        return cleaned

    def full_clean(self) -> None:
        """What the fields found wrong, and of other fields what the service finds wrong."""
        super().full_clean()
        if not self.is_bound:
            return
        try:
            self.check()
        except ValidationError as error:
            for name, faults in error.error_dict.items():
                field = self.names.get(name, name)
                if field not in self.errors:
                    self.add_error(field, faults)

    def check(self) -> None:
        """Raises ValidationError for the instance, by the name of the field."""
        raise NotImplementedError


def owner_of(row: Owned) -> GrantScope:
    return GrantScope(row.owner_region, row.owner_site, row.owner_group)


def set_owner(row: Owned, key: str) -> None:
    """Set the owner without saving the row. `key` was validated."""
    owner = grant_scopes.parse(key) or GrantScope()
    row.owner_region, row.owner_site, row.owner_group = owner.columns.values()


def _keys(choices: grant_scopes.Choices) -> list[str]:
    """The keys of the choices, also of those in groups."""
    return [key for one, two in choices for key, _label in (two if isinstance(two, list) else [(one, two)])]


__all__ = ["EVERYTHING_KEY", "NOT_PERMITTED", "OWNER", "OwnedForm", "OwnerField", "owner_of", "set_owner"]
