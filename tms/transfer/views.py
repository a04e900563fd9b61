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
from tms.approvals.gate import Proposal, Way
from tms.fleet.manage.forms import TypedForm
from tms.transfer import approvals, diff, exporting, planning, running
from tms.transfer.effects import ImportEffect
from tms.transfer.forms import ApplyForm, CorrectionForm, UploadForm
from tms.transfer.kinds.base import RowKind
from tms.transfer.kinds.registry import KINDS
from tms.transfer.models import PART, Absence, Effect, Import, ImportNotPossible, ImportSource
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
        rows_of = KINDS[form.cleaned_data["kind"]]
        made = planning.check_file(rows_of, name=file.name, data=file.read(), by=request.user, at=timezone.now())
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
    """Apply it, or ask first: what retires or moves many terminals needs a second person."""
    chosen, form, at = _find(request, pk), ApplyForm(request.POST), timezone.now()
    if not form.is_valid():
        return _page(request, chosen, HTTPStatus.UNPROCESSABLE_ENTITY)
    become: Absence = form.cleaned_data["absent_become"]
    try:
        if not chosen.may_be_applied or chosen.is_waiting(at):
            raise ImportNotPossible
        proposal = approvals.propose_import(chosen, become, by=request.user, at=at)
        if proposal is not None and proposal.way is not Way.AT_ONCE:
            return _apply_large(request, chosen, proposal)
        running.start_applying(chosen, absent_become=become, by=request.user, at=at)
    except ImportNotPossible:
        text = gettext("Nothing was applied: the import changes nothing, has errors, waits, or was applied already.")
        messages.error(request, text)
        return _page(request, _find(request, pk), HTTPStatus.CONFLICT)
    return redirect("import", pk)


def _apply_large(request: AuthenticatedRequest, chosen: Import, proposal: Proposal) -> HttpResponse:
    """Show the consequences, then ask a second person, or apply it without one."""
    data = request.POST if "is_confirmed" in request.POST else None
    form, at = TypedForm(data, word=proposal.word if proposal.must_be_typed else ""), timezone.now()
    if not form.is_bound or not form.is_valid():
        values = {"nav_item": "terminals", "import": chosen, "proposal": proposal, "form": form}
        status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
        return render(request, "transfer/confirm.html", values, status=status)
    proceed = approvals.ask if proposal.needs_approval else approvals.apply_alone
    proceed(chosen, proposal, reason=form.cleaned_data["comment"], by=request.user, at=at)
    return redirect("import", chosen.pk)


@require_POST
@never_cache
@needs(Permission.IMPORT_FLEET)
def correct_import(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Use the suggestion for a refused value; without one, take all corrections back."""
    chosen, form = _find(request, pk), CorrectionForm(request.POST)
    if not form.is_valid():
        return _page(request, chosen, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        planning.correct(chosen, form.correction, by=request.user, at=timezone.now())
    except ImportNotPossible:
        messages.error(request, gettext("This cannot be corrected here any more. Correct it in the file."))
        return _page(request, _find(request, pk), HTTPStatus.CONFLICT)
    return redirect("import", pk)


@require_POST
@never_cache
@needs(Permission.IMPORT_FLEET)
def undo_import(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    chosen = _find(request, pk)
    try:
        running.start_undoing(chosen, by=request.user, at=timezone.now())
    except ImportNotPossible:
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
    parts = _parts(exporting.pieces(chosen, to=request.user, at=timezone.now()))
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
    return get_object_or_404(Import.objects.of(request.user).select_related("created_by", "approval"), pk=pk)


def _list(request: AuthenticatedRequest, form: UploadForm, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    earlier, at = Import.objects.of(request.user).select_related("created_by", "approval")[:LISTED], timezone.now()
    rows = [(each, each.state_label(at)) for each in earlier]
    values = {"nav_item": "terminals", "form": form, "kinds": list(KINDS.values()), "earlier": rows}
    return render(request, "transfer/imports.html", values, status=status)


class ImportFigure(NamedTuple):
    """A number of rows, and the link that shows them."""

    show: str
    label: str
    number: int
    is_shown: bool


def _page(request: AuthenticatedRequest, chosen: Import, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    at = timezone.now()
    is_waiting = chosen.is_waiting(at)
    is_open = chosen.is_checked and not is_waiting
    values = {
        "nav_item": "terminals",
        "import": chosen,
        "kind": KINDS[chosen.kind],
        "state": chosen.state_label(at),
        "is_waiting": is_waiting,
        "is_open": is_open,
        "poll_s": 1 if chosen.is_running else 5 * is_waiting,
        "problem": reason(*chosen.problem) if chosen.problem else "",
        "done": running.progress(chosen),
        "may_undo": chosen.may_be_undone(at),
        "absent": _absent_choices(chosen) if is_open and chosen.number(Effect.ABSENT) else [],
        "refused": chosen.number(Effect.REFUSED),
        "corrections": _corrections(chosen) if is_open else None,
        "effects": [ImportEffect(*each) for each in chosen.effects],
        **_rows(request, chosen),
    }
    return render(request, "transfer/import.html", values, status=status)


def _rows(request: AuthenticatedRequest, chosen: Import) -> dict[str, object]:
    """The rows that the address asks for: those with an effect, or two that have the same."""
    if lines := {page_number(text) for text in request.GET.getlist("line")}:
        return {"show": "lines", "rows": diff.lines(chosen, lines), "figures": list(_figures(chosen, ""))}
    show, number = _shown(request, chosen), page_number(request.GET.get("page", ""))
    has_next = show != KEPT and (number + 1) * PART < chosen.counts.get(show, 0)
    return {
        "show": show,
        "rows": diff.kept(chosen) if show == KEPT else diff.page_of(chosen, Effect(show), number),
        "figures": list(_figures(chosen, show)),
        "previous": f"?show={show}&page={number - 1}" if number else "",
        "next": f"?show={show}&page={number + 1}" if has_next else "",
    }


def _figures(chosen: Import, show: str) -> Iterator[ImportFigure]:
    for effect in Effect:
        if effect != Effect.ABSENT or chosen.number(effect):
            yield ImportFigure(effect.value, str(effect.label), chosen.number(effect), effect == show)
    if KEPT in chosen.counts:
        yield ImportFigure(KEPT, gettext("Not undone"), chosen.counts[KEPT], show == KEPT)


class AbsentChoice(NamedTuple):
    value: str
    label: str
    changes: int
    meaning: str


def _absent_choices(chosen: Import) -> list[AbsentChoice]:
    """What may become of the terminals that are not in the file."""
    online = diff.online_absent(chosen)
    meanings = {
        Absence.KEEP: gettext("Nothing happens to them."),
        Absence.OUT_OF_SERVICE: gettext("No alerts, not counted in availability. Planned terminals stay planned."),
        Absence.RETIRED: gettext("Keys are revoked, and devices become spare. Online now: %(n)s.")
        % {"n": f"{online:,}"},
    }
    return [AbsentChoice(each.value, str(each.label), chosen.absent_changes(each), meanings[each]) for each in Absence]


def _corrections(chosen: Import) -> int | None:
    """How many values were corrected on the page; None if that is not possible any more."""
    found = ImportSource.objects.filter(of=chosen.pk).values_list("corrections", flat=True).first()
    return len(found) if found is not None else None


def _shown(request: AuthenticatedRequest, chosen: Import) -> str:
    """What the address asks for, or what needs attention first."""
    known = [effect.value for effect in Effect if effect != Effect.UNCHANGED] + [KEPT]
    asked = request.GET.get("show", "")
    if asked in known:
        return asked
    order = (KEPT, *(effect.value for effect in (Effect.REFUSED, Effect.CHANGED, Effect.CREATED, Effect.ABSENT)))
    return next((show for show in order if chosen.counts.get(show)), Effect.CREATED.value)


def page_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
