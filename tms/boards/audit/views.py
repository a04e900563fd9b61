"""The page of the audit trail, for people who may read all of it."""

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import replace_url

from tms.accounts import access
from tms.accounts.audit import export, recorder
from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.models import AuditEntry
from tms.accounts.people.context import tabs
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.boards.audit.filters import TODAY, PageFilter
from tms.boards.audit.labels import kind_label
from tms.boards.audit.proof import chain_proof
from tms.boards.audit.rows import rows_of
from tms.boards.list_filters.filters import PRIMARY_KEY

ON_A_PAGE = 50
MAX_NEW = 1_000
CONTENT_TYPES = {"jsonl": "application/jsonl; charset=utf-8", "csv": "text/csv; charset=utf-8"}


@require_safe
@never_cache
@needs(Permission.READ_AUDIT)
def audit(request: AuthenticatedRequest) -> HttpResponse:
    demand_all(request)
    chosen = PageFilter.of(request.GET, at=timezone.now())
    context = _context(request, chosen)
    if request.htmx.request_type != "partial":
        return render(request, "boards/audit/audit.html", context)
    return replace_url(render(request, "boards/audit/audit.html#results", context), f"?{chosen.query}")


@require_safe
@never_cache
@needs(Permission.READ_AUDIT)
def new_entries(request: AuthenticatedRequest) -> HttpResponse:
    """How many entries the page lacks: it asks every few seconds, and shows them when the person wants to."""
    demand_all(request)
    chosen, after = PageFilter.of(request.GET, at=timezone.now()), request.GET.get("after", "")
    newer = chosen.chosen.apply(AuditEntry.objects.all()).filter(
        pk__gt=int(after) if PRIMARY_KEY.fullmatch(after) else 0
    )
    number = newer.order_by("pk")[:MAX_NEW].count()
    context = {"filter": chosen, "newest": after, "number": number, "is_most": number == MAX_NEW}
    return render(request, "boards/audit/audit.html#new", context)


@require_safe
@never_cache
@needs(Permission.READ_AUDIT)
def export_audit(request: AuthenticatedRequest) -> HttpResponseBase:
    """All entries that match, the oldest first."""
    demand_all(request)
    form = request.GET.get("format", "")
    form = form if form in export.FORMATS else export.FORMATS[0]
    chosen = PageFilter.of(request.GET, at=timezone.now())
    recorder.record_export(AuditEntry, form, chosen.query)
    parts = _parts(export.pieces(chosen.chosen.apply(AuditEntry.objects.all()), form))
    name = f"tms-audit-{timezone.localtime():%Y-%m-%d}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(parts, content_type=CONTENT_TYPES[form], headers=headers)


def demand_all(request: AuthenticatedRequest) -> None:
    """Entries are about rows of all scopes, so the permission must be for everything."""
    access.demand_within(request.user, Permission.READ_AUDIT, EVERYTHING)


async def _parts(pieces: Iterator[str]) -> AsyncIterator[str]:
    def following() -> str | None:
        return next(pieces, None)

    while (piece := await sync_to_async(following)()) is not None:
        yield piece


def _context(request: AuthenticatedRequest, chosen: PageFilter) -> dict[str, object]:
    before = request.GET.get("before", "")
    found = chosen.chosen.apply(AuditEntry.objects.select_related("actor"))
    is_first = not PRIMARY_KEY.fullmatch(before)
    entries = list((found if is_first else found.filter(pk__lt=int(before))).order_by("-pk")[: ON_A_PAGE + 1])
    shown = entries[:ON_A_PAGE]
    return {
        "nav_item": "people",
        "tabs": list(tabs(request.user, current="audit")),
        "filter": chosen,
        "entries": rows_of(shown),
        "older": shown[-1].pk if len(entries) > ON_A_PAGE else None,
        "is_first": is_first,
        "newest": (shown[0].pk if shown else 0) if is_first else None,
        "number": 0,
        "total": _total(found) if is_first and chosen.span == TODAY else None,
        "object": kind_label(chosen.chosen.kind) if chosen.chosen.kind else "",
        "proof": chain_proof(timezone.now()),
        **chosen.choices(),
    }


def _total(rows: QuerySet[AuditEntry]) -> int:
    return rows.count()
