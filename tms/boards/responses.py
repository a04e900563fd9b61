"""Responses of views: a whole page, or a part of it for htmx."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import overload
from urllib.parse import urlsplit

from django.db.models import Model, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django_htmx.http import replace_url, reswap, retarget

from tms.accounts.access import scope_of
from tms.accounts.decorators import AuthenticatedRequest
from tms.boards.list_filters.query_filter import QueryFilter
from tms.boards.pages import AlertPage, AlertsPage, BoardPage, IncidentPage, RenderContext, page_at
from tms.boards.pages.base import PageState, nav
from tms.boards.rendering.renderer import render_part
from tms.boards.rows.alerts import AlertRow
from tms.boards.rows.incidents import IncidentRow
from tms.boards.toasts import Toast, add_toast


def render_page(
    request: AuthenticatedRequest,
    page: BoardPage | None,
    *,
    results: str = "",
    status: int = HTTPStatus.OK,
    context: Mapping[str, object] | None = None,
    **extra: object,
) -> HttpResponse:
    """A whole page, or for htmx the partial `results` of it."""
    page = or_404(page)
    render_context = RenderContext(timezone.now(), page.scope)
    page_state = page.page_state(render_context)
    values = {
        "page": page,
        "nav_item": page.nav_item,
        "page_state": page_state,
        "at": render_context.at,
        **page.static_context(page_state, person=request.user),
        **(context or {}),
        **extra,
    }
    if not results or request.htmx.request_type != "partial":
        return render(request, page.template, values, status=status)
    answer = render(request, results, values, status=status)
    if request.method == "GET":
        # The canonical URL, without the empty fields of the form.
        replace_url(answer, page.address)
    return answer


def render_problem(request: AuthenticatedRequest, chosen: QueryFilter) -> HttpResponse:
    """What is wrong with a typed query, for htmx; the list stays that of the last one that was right."""
    answer = render(request, "boards/query.html#problem", {"chosen": chosen})
    return retarget(reswap(answer, "outerHTML"), "#query-problem")


def render_dialog(
    request: AuthenticatedRequest,
    template: str,
    context: Mapping[str, object],
    *,
    partial: str = "dialog",
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    """A dialog about alerts, or its result: for htmx the `partial`, otherwise a page."""
    if request.htmx:
        return render(request, f"{template}#{partial}", context, status=status)
    around: dict[str, object] = {
        "nav_item": context.get("nav_item", AlertsPage.nav_item),
        "page_state": PageState(nav(RenderContext(timezone.now(), scope_of(request.user)))),
    }
    return render(request, template, {**context, **around}, status=status)


def render_done(
    request: AuthenticatedRequest,
    page: AlertPage | IncidentPage,
    *,
    message: str | Promise,
    toast: Toast | None = None,
) -> HttpResponse:
    """`message` is for screen readers, which read a toast instead. The row of the requesting page is included, so that
    it need not wait for the frame.
    """
    if not request.htmx:
        if toast:
            add_toast(request, toast)
        return redirect(page.address)
    row = _row_on_page(request, row_of(page)) if isinstance(page, AlertPage) else ""
    return render(request, "boards/actions/action.html#done", {"message": message, "row": row, **(toast or {})})


@overload
def row_of(page: AlertPage) -> AlertRow: ...
@overload
def row_of(page: AlertPage | IncidentPage) -> AlertRow | IncidentRow: ...
def row_of(page: AlertPage | IncidentPage) -> AlertRow | IncidentRow:
    if isinstance(page, IncidentPage):
        (incident,) = RenderContext(timezone.now(), page.scope).incidents([page.incident.pk])
        return incident
    (row,) = RenderContext(timezone.now(), page.scope).alerts([page.alert.pk])
    return row


def or_404[P: BoardPage](page: P | None) -> P:
    if page is None:
        raise Http404
    return page


def found_or_404[Row: Model](rows: QuerySet[Row]) -> Row:
    row = rows.first()
    if row is None:
        raise Http404
    return row


def _row_on_page(request: AuthenticatedRequest, row: AlertRow) -> str:
    try:
        path = urlsplit(request.htmx.current_url or "").path
    except ValueError:  # brackets that are no host
        return ""
    page = page_at(path, person=request.user)
    part = page.alert_part(row, is_answer=True) if page else None
    return render_part(row.element, part) if part else ""
