from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person
from tms.lib.forms import Plain
from tms.lib.text_fields import FormLine
from tms.notifications.models.destination import Destination
from tms.notifications.planned.forms import PlanForm, offer, visible_destinations

CUSTOMER = _("Customer's name on the report")


class ReportPlanForm(PlanForm):
    customer = FormLine(label=CUSTOMER, max_length=100, required=False)


class SendReportForm(Plain, forms.Form):
    destination = forms.ModelChoiceField(Destination.objects.none(), label=_("To"), empty_label=None)
    customer = FormLine(label=CUSTOMER, max_length=100, required=False)

    def __init__(self, *args: Any, by: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        offer(self, "destination", visible_destinations(by))
        self.dress()
