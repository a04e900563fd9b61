"""The form of a saved view."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import grant_scopes, scope_of
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.fleet.models.saved_view import MAX_VIEW_NAME, MAX_VIEW_QUERY
from tms.fleet.saved_views.services import ViewValues
from tms.lib.forms import Plain
from tms.lib.text_fields import FormLine, FormLines

PRIVATE = ""


class SavedViewForm(Plain, forms.Form):
    """Name, query and who sees it; columns and order are those of the list. `current`: the values of a stored view."""

    name = FormLine(label=_("Name"), max_length=MAX_VIEW_NAME)
    query = FormLines(
        label=_("Query"), max_length=MAX_VIEW_QUERY, required=False, help_text=_("Empty: all terminals in service.")
    )
    columns = FormLine(max_length=1_000, required=False, widget=forms.HiddenInput)
    order = FormLine(max_length=60, required=False, widget=forms.HiddenInput)
    owner = forms.ChoiceField(
        label=_("Visible to"),
        required=False,
        help_text=_("A shared view is text only: each person sees the terminals of their own scope."),
    )

    def __init__(self, *args: Any, by: User, is_own: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shareable = grant_scopes.choices(scope_of(by, Permission.MANAGE_GROUPS))
        if shareable:
            private = [(PRIVATE, gettext("Only you"))] if is_own else []
            self.fields["owner"].choices = [*private, *shareable]  # type: ignore[attr-defined]
        else:
            del self.fields["owner"]
        self.dress()

    @property
    def values(self) -> ViewValues:
        """What was chosen, after `is_valid()`."""
        fields = {name: self.cleaned_data[name] for name in ("name", "query", "columns", "order")}
        owner = self.cleaned_data.get("owner", PRIVATE)
        return ViewValues(**fields, owner=grant_scopes.parse(owner) if owner else None)

    def add_errors(self, error: ValidationError) -> None:
        """What a service refused; what belongs to no visible field stands above the others."""
        for name, texts in error.message_dict.items():
            shown = name in self.fields and not self.fields[name].widget.is_hidden
            self.add_error(name if shown else None, texts)


def initial_of(values: ViewValues) -> dict[str, str]:
    """What the form shows of them."""
    owner = values.owner.key if values.owner is not None else PRIVATE
    return {
        "name": values.name,
        "query": values.query,
        "columns": values.columns,
        "order": values.order,
        "owner": owner,
    }
