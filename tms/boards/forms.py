from django import forms
from django.utils.translation import gettext_lazy as _

from tms.alerts.models import Alert
from tms.commands.catalog import CATALOG

ANSWER_WITHIN = (("30", _("30 s")), ("120", _("2 min")), ("600", _("10 min")))
DELIVER_WITHIN = (("3600", _("Send if back in 1 h")), ("86400", _("Send if back in 1 day")))


class AcknowledgeForm(forms.Form):
    comment = forms.CharField(max_length=Alert._meta.get_field("comment").max_length, required=False)


class CommandForm(forms.Form):
    """Its fields are what `tms.commands.services.queue` asks for."""

    name = forms.ChoiceField(choices=[(spec.name, spec.label) for spec in CATALOG.values()])
    answer_within_s = forms.TypedChoiceField(choices=ANSWER_WITHIN, coerce=float)
    deliver_within_s = forms.TypedChoiceField(choices=DELIVER_WITHIN, coerce=float)
