"""Base classes of admin pages and of forms: Django's own, typed, and read-only where TMS itself writes.

Pages that change something derive from those of `tms.accounts.audit.admin`.
"""

import re
from typing import TYPE_CHECKING, Any

from django.contrib.admin.widgets import AutocompleteMixin, AutocompleteSelect, AutocompleteSelectMultiple
from django.http import HttpRequest

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, TabularInline
    from django.forms import BaseFormSet, ModelForm
else:
    from django import forms
    from django.contrib import admin

    class Subscriptable:
        """Django's classes are generic to the type checker only; `ModelAdmin[Site]` must work at run time too."""

        def __class_getitem__(cls, _models: Any) -> Any:
            return cls

    class ModelAdmin(Subscriptable, admin.ModelAdmin):
        def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
            if db_field.name in self.get_autocomplete_fields(request):
                options["widget"] = Autocomplete(db_field, self.admin_site)
            return super().formfield_for_foreignkey(db_field, request, **options)

        def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
            if db_field.name in self.get_autocomplete_fields(request):
                options["widget"] = AutocompleteMany(db_field, self.admin_site)
            return super().formfield_for_manytomany(db_field, request, **options)

    class TabularInline(Subscriptable, admin.TabularInline): ...

    class ModelForm(Subscriptable, forms.ModelForm): ...

    class BaseFormSet(Subscriptable, forms.BaseFormSet): ...


NUMBER = re.compile(r"-?[0-9]{1,19}")


class OnlyNumbers(AutocompleteMixin):
    """Shows the form again with an error if other values than primary keys were sent. Django's own raises."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, [one for one in value if NUMBER.fullmatch(str(one))], attr)


class Autocomplete(OnlyNumbers, AutocompleteSelect): ...


class AutocompleteMany(OnlyNumbers, AutocompleteSelectMultiple): ...


__all__ = ["BaseFormSet", "ModelAdmin", "ModelForm", "ReadOnly", "TabularInline"]


class ReadOnly:
    """Rows that services write: read-only here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
