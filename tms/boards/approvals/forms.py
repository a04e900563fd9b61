"""The form with which a second person decides."""

from django import forms

from tms.approvals.models import ApprovalRequest
from tms.lib.text_fields import FormLines

DECISIONS = ("approve", "reject", "withdraw")


class DecisionForm(forms.Form):
    decision = forms.ChoiceField(choices=[(name, name) for name in DECISIONS])
    comment = FormLines(max_length=ApprovalRequest._meta.get_field("comment").max_length, required=False)
