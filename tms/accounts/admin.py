from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from tms.accounts.models import User
from tms.accounts.setup import UserAdmin


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
    fieldsets = (*(UserAdmin.fieldsets or ()), (_("Boards"), {"fields": ("language", "theme")}))
    list_display = ("username", "display_name", "email", "language", "is_staff", "is_active", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "language")

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name != "language":
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        choices = [("", _("As the browser")), *settings.LANGUAGES]
        return forms.ChoiceField(label=_("Language"), choices=choices, required=False)
