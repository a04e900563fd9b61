"""The page of the correlation settings: everyone may read them, changing them needs permission to change rules."""

from http import HTTPStatus
from typing import Any, ClassVar

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tms.accounts.access import demand_within, may_within, scope_of
from tms.accounts.decorators import AuthenticatedRequest, needs_to_post
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.alerts.correlation import settings
from tms.alerts.models import CorrelationRule, Factor, SameRuleCorrelation
from tms.alerts.models.factor import SITES_TOGETHER
from tms.boards.pages.base import PageState, nav
from tms.boards.pages.render_context import RenderContext
from tms.lib.forms.saved import redirect_saved

EXAMPLES = (4, 8, 50, 200)
"""Group sizes for which the page shows how many terminals must be lost."""


NUMBERS = ("within_s", "least", "small_pct", "medium_pct", "large_pct")


class ThresholdsForm(forms.ModelForm):  # type: ignore[type-arg]  # Django has it without
    class Meta:
        fields: ClassVar = ("enabled", *NUMBERS)
        widgets: ClassVar = {name: forms.NumberInput({"class": "input"}) for name in NUMBERS}

    @property
    def factor(self) -> Any:
        return Factor(self.instance.factor).label

    @property
    def counts_sites(self) -> bool:
        """Whether its numbers are of sites instead of terminals."""
        return isinstance(self.instance, CorrelationRule) and self.instance.factor in SITES_TOGETHER

    @property
    def examples(self) -> list[tuple[int, int]]:
        """How many of a group of this size must be affected; above the size itself, never correlated."""
        return [(size, self.instance.needed(size)) for size in EXAMPLES]


class CorrelationRuleForm(ThresholdsForm):
    class Meta(ThresholdsForm.Meta):
        model = CorrelationRule


class SameRuleForm(ThresholdsForm):
    class Meta(ThresholdsForm.Meta):
        model = SameRuleCorrelation


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs_to_post(Permission.EDIT_RULES)
def correlation(request: AuthenticatedRequest) -> HttpResponse:
    """POST with `defaults` resets the settings."""
    is_sent = request.method == "POST"
    if is_sent:
        demand_within(request.user, Permission.EDIT_RULES, EVERYTHING)
    if is_sent and "defaults" in request.POST:
        settings.reset(CorrelationRule)
        settings.reset(SameRuleCorrelation)
        return redirect("correlation")
    data = request.POST if is_sent else None
    lost = [CorrelationRuleForm(data, instance=row, prefix=row.factor) for row in CorrelationRule.in_force().values()]
    same = [
        SameRuleForm(data, instance=row, prefix=f"rule-{row.factor}") for row in SameRuleCorrelation.in_force().values()
    ]
    if is_sent and all([form.is_valid() for form in (*lost, *same)]):  # noqa: C419  # each must say what is wrong with it
        settings.save(form.instance for form in (*lost, *same))
        return redirect_saved(request, "correlation")
    context = {
        "nav_item": "rules",
        "page_state": PageState(nav(RenderContext(timezone.now(), scope_of(request.user)))),
        "lost": lost,
        "same": same,
        "is_changed": CorrelationRule.objects.exists() or SameRuleCorrelation.objects.exists(),
        "may_edit": may_within(request.user, Permission.EDIT_RULES, EVERYTHING),
    }
    return render(
        request,
        "boards/rules/correlation.html",
        context,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if is_sent else HTTPStatus.OK,
    )
