"""Setup pages of rules, and the alerts that came of them."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from tms.accounts.setup import ModelAdmin, ReadOnly, TabularInline
from tms.alerts import edits
from tms.alerts.models import Alert, Rule, Transition

NAMES = {"name", "name_ja"}


@admin.register(Rule)
class RuleAdmin(ModelAdmin[Rule]):
    """A rule is disabled, never deleted: its alerts are history."""

    list_display = ("name", "name_ja", "kind", "severity", "enabled", "site", "terminal_kind")
    list_filter = ("enabled", "kind", "severity", "terminal_kind")
    list_select_related = ("site",)
    search_fields = ("name", "name_ja", "metric", "event_code")
    autocomplete_fields = ("site",)
    actions = ("enable", "disable")
    fieldsets = (
        (None, {"fields": ("name", "name_ja", "kind", "severity", "duration_s", "hours", "enabled")}),
        (_("Presence rules"), {"fields": ("presence",), "description": _("Only for rules of the kind Presence.")}),
        (
            _("Metric rules"),
            {
                "fields": ("metric", "comparison", "limit", "hysteresis"),
                "description": _("Only for rules of the kind Metric."),
            },
        ),
        (
            _("Event rules"),
            {
                "fields": ("event_code", "clear_code", "clear_after_s"),
                "description": _("Only for rules of the kind Event."),
            },
        ),
        (_("Where it applies"), {"fields": ("site", "terminal_kind"), "description": _("Empty means everywhere.")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Rule | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Rule, form: Any, change: bool) -> None:
        """A form in which nothing was edited, or only names were, must not let go of what holds."""
        edited = set(form.changed_data)
        if edited - NAMES:
            edits.change_rule(obj, at=datetime.now(UTC))
        elif edited:
            edits.rename_rule(obj)

    @admin.action(description=_("Enable the selected rules"), permissions=("change",))
    def enable(self, request: HttpRequest, queryset: models.QuerySet[Rule]) -> None:
        self._switch(request, queryset.filter(enabled=False), enabled=True)

    @admin.action(description=_("Disable the selected rules; their alerts let go"), permissions=("change",))
    def disable(self, request: HttpRequest, queryset: models.QuerySet[Rule]) -> None:
        self._switch(request, queryset.filter(enabled=True), enabled=False)

    def _switch(self, request: HttpRequest, rules: models.QuerySet[Rule], *, enabled: bool) -> None:
        switched = list(rules)
        for rule in switched:
            rule.enabled = enabled
            edits.change_rule(rule, at=datetime.now(UTC))
            self.log_change(request, rule, "Enabled." if enabled else "Disabled.")
        number = len(switched)
        self.message_user(request, ngettext("%d rule was changed.", "%d rules were changed.", number) % number)


class TransitionInline(ReadOnly, TabularInline[Transition, Alert]):
    model = Transition
    fields = readonly_fields = ("kind", "at", "by", "comment")


@admin.register(Alert)
class AlertAdmin(ReadOnly, ModelAdmin[Alert]):
    list_display = ("rule", "terminal", "severity", "state", "opened_at", "acknowledged_by", "resolved_at")
    list_filter = ("state", "severity", "rule", "opened_at")
    list_select_related = ("rule", "terminal", "acknowledged_by")
    search_fields = ("terminal__uid",)
    show_full_result_count = False
    ordering = ("-opened_at",)
    inlines = (TransitionInline,)
