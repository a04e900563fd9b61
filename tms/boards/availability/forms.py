"""The form for the availability target of a site."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person, permitted
from tms.accounts.permissions import Permission
from tms.fleet.models import Site
from tms.lib.forms import Plain


class TargetForm(Plain, forms.Form):
    """The target of one site, for which the person has the permission."""

    site = forms.ModelChoiceField(Site.objects.none(), to_field_name="code")
    percent = forms.FloatField(label=_("Target in percent"), min_value=0, max_value=100, required=False)

    def __init__(self, *args: Any, by: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["site"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = permitted(Site.objects.all(), by=by, permission=Permission.EDIT_SITES)
