"""Bases of the admin's pages and of forms: Django's own, typed, and read-only where TMS itself writes."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, TabularInline
    from django.contrib.auth.admin import UserAdmin
    from django.forms import BaseFormSet, ModelForm
else:
    from django import forms
    from django.contrib import admin
    from django.contrib.auth import admin as auth

    class Subscriptable:
        """Django's classes are generic to the type checker only; `ModelAdmin[Site]` has to mean something to Python."""

        def __class_getitem__(cls, _models: Any) -> Any:
            return cls

    from tms.accounts.audited_admin import AuditedAdmin

    class ModelAdmin(Subscriptable, AuditedAdmin, admin.ModelAdmin): ...

    class TabularInline(Subscriptable, admin.TabularInline): ...

    class UserAdmin(Subscriptable, AuditedAdmin, auth.UserAdmin): ...

    class ModelForm(Subscriptable, forms.ModelForm): ...

    class BaseFormSet(Subscriptable, forms.BaseFormSet): ...


__all__ = ["BaseFormSet", "ModelAdmin", "ModelForm", "ReadOnly", "TabularInline", "UserAdmin"]


class ReadOnly:
    """Rows that services write: looked at here, and never edited."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
