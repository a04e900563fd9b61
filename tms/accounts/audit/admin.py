"""Base classes of admin pages that write each change to the audit trail, in the transaction of the change."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.http import HttpRequest, HttpResponse

from tms.accounts.audit import recorder

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
else:
    from tms.lib import admin

__all__ = ["ModelAdmin"]


class AuditedAdmin:
    """A mixin for a ModelAdmin. Where services record a change themselves, set `records_itself`."""

    records_itself = False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Django runs the actions of a list outside of any transaction."""
        with transaction.atomic():
            return super().changelist_view(request, extra_context)  # type: ignore[misc,no-any-return]

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Called once for each form that was saved, in its transaction."""
        if not self.records_itself:
            changes = _of_form(form) | _of_rows(formsets or ())
            recorder.record("created" if add else "changed", form.instance, changes)
        return super().construct_change_message(request, form, formsets, add)  # type: ignore[misc]

    def log_deletions(self, request: HttpRequest, queryset: Iterable[models.Model]) -> Any:
        for row in queryset:
            recorder.record("deleted", row)
        return super().log_deletions(request, queryset)  # type: ignore[misc]


if not TYPE_CHECKING:

    class ModelAdmin(AuditedAdmin, admin.ModelAdmin): ...


def _of_form(form: Any) -> dict[str, tuple[Any, Any]]:
    changes = {name: (form.initial.get(name), form.cleaned_data.get(name)) for name in form.changed_data}
    return recorder.masked(
        {name: (recorder.plain(before), recorder.plain(after)) for name, (before, after) in changes.items()}
    )


def _of_rows(formsets: Iterable[Any]) -> dict[str, tuple[Any, Any]]:
    """Rows below the form: opening hours of a site."""
    changes = {}
    for formset in formsets:
        edited = [row for row, _ in formset.changed_objects]
        gone, now = formset.deleted_objects, [*formset.new_objects, *edited]
        if gone or now:
            changes[formset.prefix] = ([str(row) for row in gone], [str(row) for row in now])
    return changes
