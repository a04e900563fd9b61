"""The pages of notification policies."""

from http import HTTPStatus
from uuid import uuid4

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs, needs_to_post, sign_in_required
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.lib.forms.checks import is_check, render_errors
from tms.lib.forms.saved import redirect_saved
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy
from tms.notifications.models.rotation import Rotation
from tms.notifications.policies import services
from tms.notifications.policies.forms import BaseStepForms, PolicyForm, StepForms, steps_of
from tms.notifications.policies.preview.form import PreviewForm
from tms.notifications.policies.preview.panel import NotificationPreview, panel_of
from tms.notifications.policies.sentence import sentence_of, sentence_of_forms
from tms.notifications.soft_delete.views import undoable


@require_safe
@never_cache
@sign_in_required
def policies(request: AuthenticatedRequest) -> HttpResponse:
    rows = list(_policies(request.user))
    enabled = [policy for policy in rows if policy.enabled]
    context = {
        **undoable(request, "policy"),
        "nav_item": "policies",
        "policies": rows,
        "has_destinations": access.visible(Destination.objects.not_deleted(), to=request.user).exists(),
        "panel": panel_of(request.GET, enabled, to=request.user, now=timezone.now()) if rows else None,
        "here": reverse("policies"),
    }
    part = "#answer" if request.htmx else ""
    return render(request, f"notifications/policies.html{part}", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.EDIT_POLICIES)
def new_policy(request: AuthenticatedRequest) -> HttpResponse:
    return _edit(request, Policy())


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs_to_post(Permission.EDIT_POLICIES)
def policy(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    return _edit(request, _find(request, pk, is_edited=request.method == "POST"))


@require_POST
@never_cache
@needs(Permission.EDIT_POLICIES)
def preview_policy(request: AuthenticatedRequest, pk: int | None = None) -> HttpResponse:
    """Who would be notified if the policy in the form was saved. Nothing is."""
    chosen = Policy() if pk is None else _find(request, pk, is_edited=True)
    form, steps = _forms(request, chosen, request.POST)
    # Both have cleaned data then, also if some of it is wrong.
    _ = form.is_valid() & steps.is_valid()
    panel = _panel_of_draft(request, Policy() if pk is None else _find(request, pk, is_edited=True))
    return _page(request, chosen, form=form, steps=steps, panel=panel)


def _edit(request: AuthenticatedRequest, chosen: Policy) -> HttpResponse:
    form, steps = _forms(request, chosen, request.POST if request.method == "POST" else None)
    if is_check(request):
        return render_errors(request, form, steps)
    if request.method != "POST":
        return _page(request, chosen, form=form, steps=steps)
    if not (form.is_valid() & steps.is_valid()):
        panel = NotificationPreview(PreviewForm({}, by=request.user), is_draft_wrong=True)
        return _page(request, chosen, form=form, steps=steps, panel=panel, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    services.save(form.instance, form.rows, steps.values, by=request.user)
    return redirect_saved(request, chosen)


def _forms(request: AuthenticatedRequest, chosen: Policy, sent: QueryDict | None) -> tuple[PolicyForm, BaseStepForms]:
    form = PolicyForm(sent, instance=chosen, by=request.user)
    initial = steps_of(chosen, to=request.user)
    steps = StepForms(sent, initial=initial, prefix="steps", form_kwargs={"by": request.user})
    return form, steps


def _find(request: AuthenticatedRequest, pk: int, *, is_edited: bool) -> Policy:
    chosen = get_object_or_404(access.visible(Policy.objects.not_deleted(), to=request.user), pk=pk)
    if is_edited:
        access.demand(request.user, Permission.EDIT_POLICIES, chosen)
    return chosen


@transaction.atomic
def _panel_of_draft(request: AuthenticatedRequest, draft: Policy) -> NotificationPreview:
    """Saves it, looks ahead with it, and rolls back: the dispatcher reads policies from the database."""
    sent = request.POST.copy()
    sent["name"] = sent.get("name") or uuid4().hex
    form, steps = _forms(request, draft, sent)
    if not (form.is_valid() & steps.is_valid()):
        return NotificationPreview(PreviewForm(request.POST, by=request.user), is_draft_wrong=True)
    services.save(form.instance, form.rows, steps.values, by=request.user)
    panel = panel_of(request.POST, [form.instance], to=request.user, now=timezone.now())
    transaction.set_rollback(True)
    return panel


def _policies(person: User) -> QuerySet[Policy]:
    """The policies, with the destinations and rotations that the person sees."""
    reached = {"steps__destinations": Destination.objects.all(), "steps__rotations": Rotation.objects.all()}
    seen = [Prefetch(name, access.visible(rows, to=person)) for name, rows in reached.items()]
    return access.visible(Policy.objects.not_deleted(), to=person).prefetch_related(*seen)


def _page(
    request: AuthenticatedRequest,
    chosen: Policy,
    *,
    form: PolicyForm,
    steps: BaseStepForms,
    panel: NotificationPreview | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    """Answers htmx with the preview and the words of the sentence."""
    is_saved = chosen.pk is not None
    may_edit = access.may(request.user, Permission.EDIT_POLICIES, chosen if is_saved else None)
    if panel is None:
        saved = [chosen] if is_saved else []
        panel = panel_of(request.GET, saved, to=request.user, now=timezone.now())
    context: dict[str, object] = {
        "nav_item": "policies",
        "may_edit": may_edit,
        "chosen": chosen,
        "form": form,
        "steps": steps,
        "sentence": sentence_of_forms(form, steps) if may_edit else sentence_of(chosen, to=request.user),
        "panel": panel,
        "here": chosen.get_absolute_url() if is_saved else reverse("new-policy"),
        "preview_at": reverse("preview-policy", args=(chosen.pk,)) if is_saved else reverse("preview-new-policy"),
    }
    part = "#answer" if request.htmx else ""
    return render(request, f"notifications/policy.html{part}", context, status=status)
