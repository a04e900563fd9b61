"""A person's own page: each section is saved by itself."""

from http import HTTPStatus
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.accounts.me.forms import SECTIONS, PageSection
from tms.accounts.me.panels import panels_of
from tms.accounts.me.token_views import tokens_of
from tms.accounts.models import Grant, User
from tms.accounts.sessions.browser_rows import browser_rows


@require_safe
@never_cache
@sign_in_required
def me(request: AuthenticatedRequest) -> HttpResponse:
    return _page(request, saved=request.GET.get("saved", ""))


@require_POST
@sign_in_required
def save(request: AuthenticatedRequest, section: str) -> HttpResponse:
    """Save one section. Answers htmx with the section, and others with the page."""
    form = SECTIONS[section](request.user, request.POST)
    is_valid = form.is_valid()
    if is_valid:
        form.store()
    if request.htmx:
        status = HTTPStatus.OK if is_valid else HTTPStatus.UNPROCESSABLE_ENTITY
        context = {"form": form, "section": section, "template": f"accounts/me/{section}.html", "is_saved": is_valid}
        return render(request, "accounts/me/section.html", context, status=status)
    return redirect(f"{resolve_url('me')}?saved={section}#{section}") if is_valid else _page(request, failed=form)


def grants_of(person: User) -> QuerySet[Grant]:
    """Their own, and those of their teams."""
    mine = Grant.objects.filter(Q(person=person) | Q(team__members=person)).distinct()
    return mine.select_related("role", "site", "group", "team").order_by("role__name", "pk")


def _page(request: AuthenticatedRequest, *, saved: str = "", failed: PageSection | None = None) -> HttpResponse:
    forms: dict[str, Any] = {
        name: failed if isinstance(failed, section) else section(request.user) for name, section in SECTIONS.items()
    }
    context = {
        "nav_item": "me",
        "forms": forms,
        "saved": saved,
        "grants": grants_of(request.user),
        "browsers": browser_rows(request.user, current=request.session),
        "tokens": tokens_of(request.user, at=timezone.now()),
        "panels": panels_of(request),
    }
    status = HTTPStatus.OK if failed is None else HTTPStatus.UNPROCESSABLE_ENTITY
    return render(request, "accounts/me/page.html", context, status=status)
