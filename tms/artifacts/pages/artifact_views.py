"""The pages of one artifact: what it is, where it runs, why it may not, and its end."""

from typing import Any, NamedTuple
from urllib.parse import quote

from django import forms
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs, sign_in_required
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.artifacts import fitting, services
from tms.artifacts.checks import trusted_keys
from tms.artifacts.content import content_of
from tms.artifacts.fitting import Misfit
from tms.artifacts.installed import counts, version_field
from tms.artifacts.manifest import Signature, signers
from tms.artifacts.models import Artifact
from tms.artifacts.pages.list_views import may_manage
from tms.fleet.models import Terminal
from tms.lib.forms import Plain
from tms.lib.text_fields import FormLines

SHOWN_VERSIONS = 20


class WithdrawForm(Plain, forms.Form):
    reason = FormLines(label=pgettext_lazy("withdrawing an artifact", "Reason"), max_length=500)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.dress()


class BlockedRow(NamedTuple):
    """Terminals of its models with one version, which it cannot be installed over."""

    version: str
    reason: str
    terminals: int
    query: str


@require_safe
@never_cache
@sign_in_required
def artifact(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Everybody reads it; numbers are of the terminals that the person sees."""
    found = get_object_or_404(Artifact.objects.select_related("uploaded_by", "withdrawn_by"), pk=pk)
    signatures = [Signature(**one) for one in found.signatures]
    valid = signers(found.manifest, signatures, trusted_keys())
    blocked = _blocked(found, request.user)
    values = {
        "nav_item": "rollouts",
        "artifact": found,
        "runs_on": counts([found], request.user)[found.pk],
        "of_models": access.visible(Terminal.objects.filter(model__in=found.for_models), to=request.user).count(),
        "query": f'artifact:"{found}"',
        "signatures": [(one, one.key in valid) for one in signatures],
        "is_expired": found.expires_at <= timezone.now(),
        "blocked": blocked,
        "blocked_terminals": sum(one.terminals for one in blocked),
        "may_manage": may_manage(request.user),
        "may_roll_out": access.may(request.user, Permission.RUN_ROLLOUTS),
    }
    return render(request, "artifacts/artifact.html", values)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_ARTIFACTS)
def withdraw_artifact(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """GET: what it means. POST: withdraw it, with a reason; repeating that changes nothing."""
    access.demand_within(request.user, Permission.MANAGE_ARTIFACTS, EVERYTHING)
    found = get_object_or_404(Artifact, pk=pk)
    form = WithdrawForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        services.withdraw(found, reason=form.cleaned_data["reason"], by=request.user, at=timezone.now())
        return redirect(found)
    values = {
        "nav_item": "rollouts",
        "artifact": found,
        "form": form,
        "runs_on": counts([found], request.user)[found.pk],
    }
    return render(request, "artifacts/withdraw.html", values, status=422 if form.is_bound else 200)


@require_safe
@never_cache
@needs(Permission.MANAGE_ARTIFACTS)
def download_artifact(request: AuthenticatedRequest, pk: int) -> HttpResponseBase:
    """The file, for people; it is in the audit trail."""
    access.demand_within(request.user, Permission.MANAGE_ARTIFACTS, EVERYTHING)
    return content_of(get_object_or_404(Artifact, pk=pk))


def _blocked(found: Artifact, person: User) -> list[BlockedRow]:
    rows = access.visible(Terminal.objects.filter(model__in=found.for_models), to=person)
    column = version_field(found.name)
    return [
        BlockedRow(version, _why(found, reason), number, quote(f'{column}:"{version}"'))
        for version, reason, number in fitting.blocked(found, rows)[:SHOWN_VERSIONS]
    ]


def _why(found: Artifact, reason: Misfit) -> str:
    texts = {
        Misfit.TOO_OLD: gettext("older than %(version)s") % {"version": found.replaces_from},
        Misfit.TOO_NEW: gettext("not older than %(version)s") % {"version": found.replaces_below},
        Misfit.UNKNOWN_VERSION: gettext("its version is not known"),
        Misfit.NO_UPDATES: gettext("its agent is not set up for updates"),
        Misfit.MODEL: gettext("another model"),
    }
    return texts[reason]
