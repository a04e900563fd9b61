"""The form of a policy, and the forms of its escalation steps."""

from itertools import zip_longest
from typing import Any

from django import forms
from django.conf import settings
from django.forms import formset_factory
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person, visible
from tms.accounts.access.owner_form import OwnedForm
from tms.accounts.permissions import Permission
from tms.fleet.models import Site
from tms.lib.admin import BaseFormSet
from tms.lib.forms import NONE, Plain, free_name
from tms.lib.forms.combobox import Combobox, RowsField, Suggestions
from tms.lib.severity import Severity
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import DAY_S, Policy, PolicyHours, Step
from tms.notifications.models.rotation import Rotation
from tms.notifications.soft_delete import services as soft_delete
from tms.notifications.weekly_hours import HOURS_FIELDS, fault_in_hours, hours_form_fields

MAX_STEPS = 4


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
        fields = (
            *("name", "severities", "sites", "groups", "rules", "language", "delay_s", "group_wait_s", "repeat_s"),
            *("group_by_site", "notify_resolved", "notify_acknowledged", "enabled", "when", *HOURS_FIELDS),
        )

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

    def save(self, commit: bool = True) -> Policy:
        if stored := Policy.objects.filter(pk=self.instance.pk).first():
            for name in ("sites", "groups", "rules"):
                self.cleaned_data[name] = [*self.cleaned_data[name], *_not_offered(self, name, getattr(stored, name))]
        policy: Policy = super().save(commit)
        return policy

    def clean_name(self) -> str:
        return free_name(Policy.objects.not_deleted(), self.cleaned_data["name"], self.instance)

    def clean_repeat_s(self) -> int:
        return self.cleaned_data["repeat_s"] or 0

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned["when"] = cleaned.get("when") or PolicyHours.ALWAYS
        if fault := fault_in_hours(cleaned, are_needed=cleaned["when"] in (PolicyHours.WITHIN, PolicyHours.OUTSIDE)):
            self.add_error(*fault)
        return cleaned


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
    def is_empty(self) -> bool:
        return not self.cleaned_data.get("destinations") and not self.cleaned_data.get("rotations")


def _offer(form: forms.BaseForm, *names: str, to: Person) -> None:
    """Offer the rows that the person sees in these fields."""
    for name in names:
        field = form.fields[name]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        assert field.queryset is not None
        field.queryset = visible(field.queryset, to=to)


def _not_offered(form: forms.BaseForm, name: str, chosen: Any) -> list[Any]:
    """The rows among `chosen` that the person does not see, and so cannot have removed."""
    field = form.fields[name]
    assert isinstance(field, forms.ModelMultipleChoiceField)
    assert field.queryset is not None
    return list(chosen.exclude(pk__in=field.queryset.values("pk")))


class BaseStepForms(BaseFormSet[StepForm]):
    def clean(self) -> None:
        if not any(self.errors) and all(form.is_empty for form in self.forms):
            raise forms.ValidationError(
                gettext("Choose at least one destination or rotation. Otherwise nobody is notified.")
            )


StepForms = formset_factory(StepForm, formset=BaseStepForms, extra=MAX_STEPS, max_num=MAX_STEPS)


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


def save_policy(form: PolicyForm, steps: BaseFormSet[StepForm]) -> Policy:
    """Save a valid policy and its valid steps."""
    with soft_delete.change(form.instance):
        policy: Policy = form.save()
        save_steps(policy, steps)
    return policy


def save_steps(policy: Policy, forms: BaseFormSet[StepForm]) -> None:
    stored = list(Step.objects.filter(policy=policy).order_by("position"))
    chosen = [_chosen(form, step) for form, step in zip_longest(forms.forms, stored[: len(forms.forms)])]
    policy.steps.all().delete()
    filled = [(form, rows) for form, rows in zip(forms.forms, chosen, strict=True) if any(rows.values())]
    for position, (form, rows) in enumerate(filled):
        after_s = (form.cleaned_data.get("after_min") or 0) * 60 if position else 0
        step = Step.objects.create(policy=policy, position=position, after_s=after_s)
        step.destinations.set(rows["destinations"])
        step.rotations.set(rows["rotations"])


def _chosen(form: StepForm, stored: Step | None) -> dict[str, list[Any]]:
    """The choice of each field, also what the step has by now and the person does not see."""
    return {
        name: [
            *(form.cleaned_data.get(name) or ()),
            *(_not_offered(form, name, getattr(stored, name)) if stored else ()),
        ]
        for name in ("destinations", "rotations")
    }
