"""Alerts and their history, read-only. Rules have their own pages (`tms.boards.rules`)."""

from django.contrib import admin

from tms.accounts.audit.admin import ModelAdmin
from tms.alerts.models import Alert, Transition
from tms.lib.admin import ReadOnly, TabularInline


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
