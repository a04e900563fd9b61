"""Forms to send availability reports, now and after each month."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person, permitted, visible
from tms.accounts.permissions import Permission
from tms.lib.forms import Plain
from tms.lib.text_fields import FormLine
from tms.notifications.models.destination import Destination

CUSTOMER = _("Customer's name on the report")


class ReportPlanForm(Plain, forms.Form):
    destination = forms.ModelChoiceField(Destination.objects.none(), label=_("Destination"), empty_label=None)
    customer = FormLine(label=CUSTOMER, max_length=100, required=False)

    def __init__(self, *args: Any, by: Person, **options: Any) -> None:
        """Offer destinations whose owner lies within the scope in which the person may plan reports."""
        super().__init__(*args, **options)
        field = self.fields["destination"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = permitted(
            Destination.objects.not_deleted().enabled(), by=by, permission=Permission.PLAN_DIGESTS
        )
        self.dress()


class SendReportForm(Plain, forms.Form):
    destination = forms.ModelChoiceField(Destination.objects.none(), label=_("To"), empty_label=None)
    customer = FormLine(label=CUSTOMER, max_length=100, required=False)

    def __init__(self, *args: Any, by: Person, **options: Any) -> None:
        """Offer the destinations that the person sees: the report has what both of them may read."""
        super().__init__(*args, **options)
        field = self.fields["destination"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = visible(Destination.objects.not_deleted().enabled(), to=by)
        self.dress()
