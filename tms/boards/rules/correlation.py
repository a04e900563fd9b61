"""When alerts fold into an incident: read by everyone, changed by who may change rules."""

from typing import Any, ClassVar

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tms.accounts.decorators import AuthenticatedRequest, needs_to_post
from tms.accounts.permissions import Permission
from tms.alerts.correlation import settings
from tms.alerts.models import Factor, FoldRule
from tms.boards.pages.base import PageState, nav
from tms.boards.pages.render_context import RenderContext
from tms.boards.rules.views import UNREADABLE

EXAMPLES = (4, 8, 50, 200)
"""Numbers of terminals for which the page says how many must be lost."""


NUMBERS = ("within_s", "least", "small_pct", "medium_pct", "large_pct")


class FoldForm(forms.ModelForm):  # type: ignore[type-arg]  # Django has it without
    class Meta:
        model = FoldRule
        fields: ClassVar = ("enabled", *NUMBERS)
        widgets: ClassVar = {name: forms.NumberInput({"class": "input"}) for name in NUMBERS}

    @property
    def factor(self) -> Any:
        return Factor(self.instance.factor).label

    @property
    def examples(self) -> list[tuple[int, int]]:
        """Of so many terminals so many must be lost; more than there are: it never folds."""
        return [(size, self.instance.needed(size)) for size in EXAMPLES]


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs_to_post(Permission.EDIT_RULES)
def folding(request: AuthenticatedRequest) -> HttpResponse:
    """Sent with `defaults` it goes back to those."""
    is_sent = request.method == "POST"
    if is_sent and "defaults" in request.POST:
        settings.reset()
        return redirect("folding")
    rules = FoldRule.in_force()
    forms_ = [FoldForm(request.POST if is_sent else None, instance=rule, prefix=rule.factor) for rule in rules.values()]
    if is_sent and all([form.is_valid() for form in forms_]):  # noqa: C419  # each must say what is wrong with it
        settings.save(form.instance for form in forms_)
        return redirect("folding")
    context = {
        "place": "rules",
        "scene": PageState(nav(RenderContext(timezone.now()))),
        "forms": forms_,
        "is_changed": FoldRule.objects.exists(),
    }
    return render(request, "boards/rules/folding.html", context, status=UNREADABLE if is_sent else 200)
