"""Commands in the Django admin, read only."""

from django.contrib import admin

from tms.accounts.audit.admin import ModelAdmin
from tms.commands.models import Command
from tms.lib.admin import ReadOnly


@admin.register(Command)
class CommandAdmin(ReadOnly, ModelAdmin[Command]):
    list_display = ("name", "terminal", "state", "created_by", "created_at", "sent_at", "answered_at", "error")
    list_filter = ("state", "name", "created_at")
    list_select_related = ("terminal", "created_by")
    search_fields = ("terminal__uid", "name")
    show_full_result_count = False
    ordering = ("-created_at",)
