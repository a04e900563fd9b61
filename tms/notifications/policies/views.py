from http import HTTPStatus
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs, needs_to_post, sign_in_required
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.lib.admin import BaseFormSet
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy
from tms.notifications.models.rotation import Rotation
from tms.notifications.policies.forms import PolicyForm, StepForm, StepForms, save_policy, steps_of
from tms.notifications.soft_delete.views import undoable


@require_safe
@never_cache
@sign_in_required
def policies(request: AuthenticatedRequest) -> HttpResponse:
    return _page(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.EDIT_POLICIES)
def new_policy(request: AuthenticatedRequest) -> HttpResponse:
    return _edited(request, Policy())


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs_to_post(Permission.EDIT_POLICIES)
def policy(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    chosen = get_object_or_404(access.visible(Policy.objects.not_deleted(), to=request.user), pk=pk)
    if request.method == "POST":
        access.demand(request.user, Permission.EDIT_POLICIES, chosen)
    return _edited(request, chosen)


def _edited(request: AuthenticatedRequest, chosen: Policy) -> HttpResponse:
    sent = request.POST if request.method == "POST" else None
    form = PolicyForm(sent, instance=chosen, by=request.user)
    initial = steps_of(chosen, to=request.user)
    steps = StepForms(sent, initial=initial, prefix="steps", form_kwargs={"by": request.user})
    if sent is None or not (form.is_valid() & steps.is_valid()):
        return _page(request, chosen, form=form, steps=steps)
    save_policy(form, steps)
    return redirect(chosen)


def _listed(person: User) -> QuerySet[Policy]:
    """With the destinations and rotations that the person sees."""
    reached = {"steps__destinations": Destination.objects.all(), "steps__rotations": Rotation.objects.all()}
    seen = [Prefetch(name, access.visible(rows, to=person)) for name, rows in reached.items()]
    return access.visible(Policy.objects.not_deleted(), to=person).prefetch_related(*seen)


def _page(
    request: AuthenticatedRequest,
    chosen: Policy | None,
    *,
    form: PolicyForm | None = None,
    steps: BaseFormSet[StepForm] | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {
        **undoable(request, "policy"),
        "nav_item": "policies",
        "policies": _listed(request.user),
        "has_destinations": access.visible(Destination.objects.not_deleted(), to=request.user).exists(),
        "may_edit": access.may(request.user, Permission.EDIT_POLICIES, chosen if chosen and chosen.pk else None),
        "chosen": chosen,
        "form": form,
        "steps": steps,
    }
    is_invalid = request.method == "POST"
    return render(
        request,
        "notifications/policies.html",
        context,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if is_invalid else HTTPStatus.OK,
    )
