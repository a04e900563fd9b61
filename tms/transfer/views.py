"""Pages on which people import and export rows of the fleet."""

from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from typing import NamedTuple

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tms.accounts.audit import recorder
from tms.accounts.decorators import AuthenticatedRequest, needs, sign_in_required
from tms.accounts.permissions import Permission
from tms.transfer import diff, exporting, running
from tms.transfer.forms import UploadForm
from tms.transfer.kinds.base import RowKind
from tms.transfer.kinds.registry import KINDS
from tms.transfer.models import Effect, Import, ImportState
from tms.transfer.planning import PART, check_file
from tms.transfer.reading.files import UnreadableFile
from tms.transfer.reasons import reason

LISTED = 50
KEPT = "kept"


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.IMPORT_FLEET)
def imports(request: AuthenticatedRequest) -> HttpResponse:
    """POST: check a file, and show what it would change."""
    if request.method != "POST":
        kind = request.GET.get("kind", "")
        return _list(request, UploadForm(initial={"kind": kind if kind in KINDS else "terminals"}))
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _list(request, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    file = form.cleaned_data["file"]
    try:
        made = check_file(
            KINDS[form.cleaned_data["kind"]], name=file.name, data=file.read(), by=request.user, at=timezone.now()
        )
    except UnreadableFile as bad:
        form.add_error("file", bad.text)
        return _list(request, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    return redirect("import", made.pk)


@require_safe
@never_cache
@needs(Permission.IMPORT_FLEET)
def import_page(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """What a file would change, or changed: a page of the rows that `show` names."""
    return _page(request, _find(request, pk))


@require_POST
@never_cache
@needs(Permission.IMPORT_FLEET)
def apply_import(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    chosen = _find(request, pk)
    try:
        running.start_applying(chosen, by=request.user, at=timezone.now())
    except running.ImportNotPossible:
        return _page(request, _find(request, pk), HTTPStatus.CONFLICT)
    return redirect("import", pk)


@require_POST
@never_cache
@needs(Permission.IMPORT_FLEET)
def undo_import(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    chosen = _find(request, pk)
    try:
        running.start_undoing(chosen, by=request.user, at=timezone.now())
    except running.ImportNotPossible:
        messages.error(request, gettext("This import cannot be undone any more."))
        return _page(request, _find(request, pk), HTTPStatus.CONFLICT)
    return redirect("import", pk)


@require_safe
@needs(Permission.IMPORT_FLEET)
def import_template(request: AuthenticatedRequest, kind: str) -> HttpResponse:
    """The columns of a kind of rows, with two examples."""
    return HttpResponse(
        exporting.template(_kind(kind)),
        content_type=exporting.CONTENT_TYPE,
        headers=_attachment(f"tms-{kind}-template.csv"),
    )


@require_safe
@never_cache
@sign_in_required
def export_fleet(request: AuthenticatedRequest, kind: str) -> HttpResponseBase:
    """The rows of a kind that the person sees, in the form in which they can be imported."""
    chosen = _kind(kind)
    recorder.record_export(chosen.model, "csv", f"kind={kind}")
    name = f"tms-{kind}-{timezone.localtime():%Y-%m-%d}.csv"
    parts = _parts(exporting.pieces(chosen, to=request.user))
    return StreamingHttpResponse(parts, content_type=exporting.CONTENT_TYPE, headers=_attachment(name))


async def _parts(pieces: Iterator[str]) -> AsyncIterator[str]:
    def following() -> str | None:
        return next(pieces, None)

    while (piece := await sync_to_async(following)()) is not None:
        yield piece


def _attachment(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _kind(name: str) -> RowKind:
    if name not in KINDS:
        raise Http404
    return KINDS[name]


def _find(request: AuthenticatedRequest, pk: int) -> Import:
    return get_object_or_404(Import.objects.of(request.user).select_related("created_by"), pk=pk)


def _list(request: AuthenticatedRequest, form: UploadForm, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    earlier = Import.objects.of(request.user).select_related("created_by")[:LISTED]
    values = {"nav_item": "terminals", "form": form, "kinds": list(KINDS.values()), "earlier": earlier}
    return render(request, "transfer/imports.html", values, status=status)


class ImportFigure(NamedTuple):
    """A number of rows, and the link that shows them."""

    show: str
    label: str
    number: int
    is_shown: bool


def _page(request: AuthenticatedRequest, chosen: Import, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    at = timezone.now()
    show, number = _shown(request, chosen), _number(request.GET.get("page", ""))
    rows = diff.kept(chosen) if show == KEPT else diff.page_of(chosen, Effect(show), number)
    total = chosen.counts.get(show, 0)
    has_next = show != KEPT and (number + 1) * PART < total
    values = {
        "nav_item": "terminals",
        "import": chosen,
        "kind": KINDS[chosen.kind],
        "state": ImportState(chosen.state).label,
        "figures": list(_figures(chosen, show)),
        "show": show,
        "rows": rows,
        "previous": f"?show={show}&page={number - 1}" if number else "",
        "next": f"?show={show}&page={number + 1}" if has_next else "",
        "problem": reason(*chosen.problem) if chosen.problem else "",
        "done": running.progress(chosen),
        "may_undo": chosen.may_be_undone(at),
    }
    return render(request, "transfer/import.html", values, status=status)


def _figures(chosen: Import, show: str) -> Iterator[ImportFigure]:
    for effect in Effect:
        yield ImportFigure(effect.value, str(effect.label), chosen.number(effect), effect == show)
    if KEPT in chosen.counts:
        yield ImportFigure(KEPT, gettext("Not undone"), chosen.counts[KEPT], show == KEPT)


def _shown(request: AuthenticatedRequest, chosen: Import) -> str:
    """What the address asks for, or what needs attention first."""
    known = [effect.value for effect in Effect if effect != Effect.UNCHANGED] + [KEPT]
    asked = request.GET.get("show", "")
    if asked in known:
        return asked
    order = (KEPT, Effect.REFUSED.value, Effect.CHANGED.value, Effect.CREATED.value)
    return next((show for show in order if chosen.counts.get(show)), Effect.CREATED.value)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
