"""The form of a policy, and the forms of its escalation steps."""

from typing import Any

from django import forms
from django.conf import settings
from django.forms import formset_factory
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person, visible
from tms.accounts.access.owner_form import OwnedForm
from tms.accounts.permissions import Permission
from tms.fleet.models import Site
from tms.lib.forms import NONE, Plain
from tms.lib.forms.bases import BaseFormSet
from tms.lib.forms.combobox import Combobox, RowsField, Suggestions
from tms.lib.severity import Severity
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import DAY_S, Policy, PolicyHours, RolloutNews
from tms.notifications.models.rotation import Rotation
from tms.notifications.policies import services
from tms.notifications.policies.services import EDITED, MAX_STEPS, NO_RECIPIENT, PolicyRows, StepValues
from tms.notifications.weekly_hours import hours_form_fields


class PolicyForm(Plain, OwnedForm[Policy]):
    """The form of a policy. It offers sites, groups and rules that the person sees."""

    permission = Permission.EDIT_POLICIES
    severities = forms.MultipleChoiceField(
        label=_("Severities"),
        choices=Severity,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("No selection matches all."),
    )
    rollouts = forms.MultipleChoiceField(
        label=_("Rollouts"),
        choices=RolloutNews,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("Of which events of rollouts the first step is notified."),
    )
    sites = RowsField(
        Site.objects.order_by("code"),
        label=_("Sites"),
        key="code",
        widget=Suggestions("suggest-sites"),
        unknown=_("Unknown sites: %(keys)s. Check the codes."),
        required=False,
    )

    class Meta:
        model = Policy
        widgets = {"groups": Combobox, "rules": Combobox}
        fields = (*EDITED, "sites", "groups", "rules")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"] = forms.ChoiceField(
            label=self.fields["language"].label,
            help_text=self.fields["language"].help_text,
            choices=[("", NONE), *settings.LANGUAGES],
            required=False,
        )
        self.fields |= hours_form_fields(self.instance)
        self.fields["when"].required = False
        self.fields["repeat_s"].required = False
        _offer(self, "sites", "groups", "rules", to=self.by)
        self.dress()

    @property
    def rows(self) -> PolicyRows:
        """The rows that were chosen. The columns are those of the instance."""
        return PolicyRows(**{name: list(self.cleaned_data[name]) for name in ("sites", "groups", "rules")})

    def clean_repeat_s(self) -> int:
        return self.cleaned_data["repeat_s"] or 0

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned["when"] = cleaned.get("when") or PolicyHours.ALWAYS
        return cleaned

    def check(self) -> None:
        services.check(self.instance, None, by=self.by)


class StepForm(Plain, forms.Form):
    """An escalation step; ignored if it notifies nobody. It offers the destinations that the person sees."""

    after_min = forms.IntegerField(label=_("After (minutes)"), min_value=0, max_value=DAY_S // 60, required=False)
    destinations = forms.ModelMultipleChoiceField(
        Destination.objects.not_deleted(), required=False, widget=forms.CheckboxSelectMultiple
    )
    rotations = forms.ModelMultipleChoiceField(
        Rotation.objects.not_deleted(), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, by: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "destinations", "rotations", to=by)
        self.dress()

    @property
    def values(self) -> StepValues:
        cleaned = self.cleaned_data
        return StepValues(
            after_s=(cleaned.get("after_min") or 0) * 60,
            destinations=list(cleaned.get("destinations") or ()),
            rotations=list(cleaned.get("rotations") or ()),
        )


def _offer(form: forms.BaseForm, *names: str, to: Person) -> None:
    """Offer the rows that the person sees in these fields."""
    for name in names:
        field = form.fields[name]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        assert field.queryset is not None
        field.queryset = visible(field.queryset, to=to)


class BaseStepForms(BaseFormSet[StepForm]):
    def clean(self) -> None:
        if not any(self.errors) and not any(step.notifies for step in self.values):
            raise forms.ValidationError(NO_RECIPIENT)

    @property
    def values(self) -> list[StepValues]:
        return [form.values for form in self.forms]


StepForms: type[BaseStepForms] = formset_factory(  # type: ignore[assignment]  # django-stubs: BaseFormSet
    StepForm, formset=BaseStepForms, extra=MAX_STEPS, max_num=MAX_STEPS
)


def steps_of(policy: Policy, *, to: Person) -> list[dict[str, Any]]:
    """Initial values of their forms."""
    if not policy.pk:
        return []
    return [
        {
            "after_min": step.after_s // 60,
            "destinations": list(visible(step.destinations.all(), to=to)),
            "rotations": list(visible(step.rotations.all(), to=to)),
        }
        for step in policy.steps.all()
    ]
