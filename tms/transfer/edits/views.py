"""Pages of bulk edits: what one would change, and what it changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.approvals.gate import Proposal, Way
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.manage.forms import TypedForm
from tms.query.errors import QueryError
from tms.transfer import approvals, diff, running
from tms.transfer.edits import planning
from tms.transfer.edits.consequences import EditConsequences, consequences_of
from tms.transfer.edits.forms import FIELDS, EditForm, target_of
from tms.transfer.edits.kept import kept_rows
from tms.transfer.edits.planning import EditPlan, EditTarget
from tms.transfer.effects import ImportEffect
from tms.transfer.kinds.edits import MAX_PICKED, EditKind
from tms.transfer.kinds.facts import edit_of
from tms.transfer.models import OF_EDITS, PART, Absence, Effect, Import, ImportNotPossible
from tms.transfer.reasons import reason
from tms.transfer.views import KEPT, ImportFigure, page_number

SHOWN_REFUSED = 10
SHOWN = (Effect.CHANGED.value, Effect.REFUSED.value, KEPT)


@dataclass
class EditDraft:
    """An edit as far as the person filled it in."""

    kind: EditKind
    target: EditTarget
    form: EditForm
    number: int = 0
    """Terminals of the target."""
    counted: int = 0
    """How many the list showed, if that is another number."""
    plan: EditPlan | None = None
    """None while a field is missing or wrong."""
    problem: str = ""

    @classmethod
    def of(cls, request: AuthenticatedRequest, kind: EditKind) -> Self:
        data = request.POST if request.method == "POST" else request.GET
        target, at, by = target_of(data), timezone.now(), request.user
        is_sent = any(name in data for name in FIELDS[kind])
        try:
            rows = target.rows(to=by, at=at)
        except QueryError as error:
            return cls(kind, target, EditForm(None, kind=kind, by=by, at=at), problem=str(error))
        form = EditForm(data if is_sent else None, kind=kind, by=by, at=at, rows=rows)
        draft = cls(kind, target, form, rows[: planning.MAX_TERMINALS + 1].count())
        counted = page_number(data.get("count", ""))
        draft.counted = counted if counted != draft.number else 0
        draft.problem = _problem(target, draft.number)
        if not draft.problem and is_sent and form.is_valid():
            draft.plan = planning.plan(form.edit, target, by=by, at=at)
        return draft

    @property
    def missing(self) -> int:
        """Chosen terminals that do not exist, or that the person does not see."""
        return max(0, len(self.target.uids) - self.number)

    @property
    def is_wrong(self) -> bool:
        return bool(self.problem) or (self.form.is_bound and self.plan is None)

    @property
    def is_dangerous(self) -> bool:
        return self.plan is not None and self.plan.edit.lifecycle == Lifecycle.RETIRED


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sign_in_required
def edit_terminals(request: AuthenticatedRequest, edit: str) -> HttpResponse:
    """GET and POST show what it would change; a long selection is sent by POST. With `apply`, POST changes it."""
    if edit not in EditKind.values:
        raise Http404
    chosen = EditKind(edit)
    access.demand(request.user, chosen.permission)
    if "apply" in request.POST:
        return _apply(request, chosen)
    draft = EditDraft.of(request, chosen)
    return _show(request, draft, HTTPStatus.UNPROCESSABLE_ENTITY if draft.is_wrong else HTTPStatus.OK)


def _problem(target: EditTarget, number: int) -> str:
    if number > planning.MAX_TERMINALS:
        text = gettext("More than %(most)s terminals match. Add a condition to the query.")
        return text % {"most": f"{planning.MAX_TERMINALS:,}"}
    if len(target.uids) > MAX_PICKED:
        text = gettext("More than %(most)s terminals are chosen. Choose fewer, or all that match a query.")
        return text % {"most": f"{MAX_PICKED:,}"}
    return "" if number else gettext("No terminal is chosen. Choose some in the list.")


@transaction.atomic
def _apply(request: AuthenticatedRequest, kind: EditKind) -> HttpResponse:
    planning.wait_for_edits_of(request.user)
    draft, by, at = EditDraft.of(request, kind), request.user, timezone.now()
    if draft.plan is None:
        return _show(request, draft, HTTPStatus.UNPROCESSABLE_ENTITY)
    if not draft.plan.changed and (same := planning.repeated(draft.plan.edit, by=by, at=at)):
        return redirect("edit", same.pk)
    if not _is_as_seen(request, draft.plan):
        draft.problem = gettext("The terminals changed since the preview. Look at it again, and apply it then.")
        return _show(request, draft, HTTPStatus.CONFLICT)
    chosen = planning.store(draft.plan, by=by, at=at)
    proposal = approvals.propose_import(chosen, Absence.KEEP, by=by, at=at)
    if proposal is None or proposal.way is Way.AT_ONCE:
        running.start_applying(chosen, by=by, at=at)
        _tell(request, chosen.pk)
    return redirect("edit", chosen.pk)


def _is_as_seen(request: AuthenticatedRequest, made: EditPlan) -> bool:
    """Whether it is the edit of the preview, and changes no more terminals than that said."""
    seen = page_number(request.POST.get("seen", ""))
    return 0 < len(made.changed) <= seen and request.POST.get("of") == made.edit.summary


def _tell(request: AuthenticatedRequest, pk: int) -> None:
    """A toast with the way back, unless the clock still works on it: then the page shows the progress."""
    chosen = Import.objects.get(pk=pk)
    if chosen.may_be_undone(timezone.now()):
        number = chosen.number(Effect.CHANGED)
        text = ngettext("%(n)s terminal changed", "%(n)s terminals changed", number) % {"n": f"{number:,}"}
        messages.success(request, text, extra_tags=reverse("undo-edit", args=(pk,)))


def _show(request: AuthenticatedRequest, draft: EditDraft, status: HTTPStatus) -> HttpResponse:
    made, at = draft.plan, timezone.now()
    refused = made.refused if made else []
    values = {
        "nav_item": "terminals",
        "draft": draft,
        "form": draft.form,
        "refused": [(row.name, row.faults[0].text) for row in refused[:SHOWN_REFUSED]],
        "refused_more": max(0, len(refused) - SHOWN_REFUSED),
        "consequences": consequences_of(made, to=request.user, at=at) if made else EditConsequences(),
    }
    return render(request, "transfer/edit-new.html", values, status=status)


@require_safe
@never_cache
@sign_in_required
def edit_page(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """What a bulk edit changed: a page of the rows that `show` names."""
    return _page(request, _find(request, pk))


@require_POST
@never_cache
@sign_in_required
def apply_edit(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Ask a second person for an edit that retires or moves many terminals, or do it without one."""
    chosen, at = _find_changeable(request, pk), timezone.now()
    proposal = _proposal(request, chosen)
    try:
        if proposal is None or proposal.way is Way.AT_ONCE:
            if chosen.is_waiting(at):
                raise ImportNotPossible
            running.start_applying(chosen, by=request.user, at=at)
            return redirect("edit", pk)
        form = TypedForm(request.POST, word=_word(proposal))
        if not form.is_valid():
            return _page(request, chosen, form, HTTPStatus.UNPROCESSABLE_ENTITY)
        proceed = approvals.ask if proposal.needs_approval else approvals.apply_alone
        proceed(chosen, proposal, reason=form.cleaned_data["comment"], by=request.user, at=at)
    except ImportNotPossible:
        messages.error(request, gettext("Nothing was changed: the edit waits, or was applied already."))
        return _page(request, _find(request, pk), status=HTTPStatus.CONFLICT)
    return redirect("edit", pk)


@require_POST
@never_cache
@sign_in_required
def undo_edit(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Rows that nobody changed since go back."""
    chosen = _find_changeable(request, pk)
    try:
        running.start_undoing(chosen, by=request.user, at=timezone.now())
    except ImportNotPossible:
        messages.error(request, gettext("This edit cannot be undone any more."))
        return _page(request, _find(request, pk), status=HTTPStatus.CONFLICT)
    return redirect("edit", pk)


def _find(request: AuthenticatedRequest, pk: int) -> Import:
    edits = Import.objects.edits_of(request.user).select_related("created_by", "approval")
    return get_object_or_404(edits, pk=pk)


def _find_changeable(request: AuthenticatedRequest, pk: int) -> Import:
    if not any(access.may(request.user, permission) for permission in OF_EDITS):
        access.demand(request.user, OF_EDITS[0])
    chosen = _find(request, pk)
    access.demand(request.user, EditKind(chosen.kind).permission)
    return chosen


def _word(proposal: Proposal) -> str:
    return proposal.word if proposal.must_be_typed else ""


def _proposal(request: AuthenticatedRequest, chosen: Import) -> Proposal | None:
    """The confirmation of an edit that nobody applied yet; None if there is nothing to confirm."""
    at = timezone.now()
    if not chosen.may_be_applied or chosen.is_waiting(at):
        return None
    return approvals.propose_import(chosen, Absence.KEEP, by=request.user, at=at)


def _page(
    request: AuthenticatedRequest, chosen: Import, form: TypedForm | None = None, status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    at, edit = timezone.now(), edit_of(chosen)
    may_change = access.may(request.user, edit.kind.permission)
    is_waiting = chosen.is_waiting(at)
    proposal = _proposal(request, chosen) if may_change else None
    if proposal is not None and form is None:
        form = TypedForm(None, word=_word(proposal))
    values = {
        "nav_item": "terminals",
        "chosen": chosen,
        "edit": edit,
        "state": chosen.state_label(at),
        "is_waiting": is_waiting,
        "poll_s": 1 if chosen.is_running else 5 * is_waiting,
        "problem": reason(*chosen.problem) if chosen.problem else "",
        "done": running.progress(chosen),
        "may_undo": may_change and chosen.may_be_undone(at),
        "proposal": proposal,
        "form": form,
        "effect": "retire" if edit.kind is EditKind.STATE else "window",
        "effects": [ImportEffect(*each) for each in chosen.effects],
        **_rows(request, chosen),
    }
    return render(request, "transfer/edit.html", values, status=status)


def _rows(request: AuthenticatedRequest, chosen: Import) -> dict[str, Any]:
    show, number = _shown(request, chosen), page_number(request.GET.get("page", ""))
    has_next = show != KEPT and (number + 1) * PART < chosen.counts.get(show, 0)
    return {
        "show": show,
        "rows": kept_rows(chosen, to=request.user) if show == KEPT else diff.page_of(chosen, Effect(show), number),
        "figures": list(_figures(chosen, show)),
        "previous": f"?show={show}&page={number - 1}" if number else "",
        "next": f"?show={show}&page={number + 1}" if has_next else "",
    }


def _shown(request: AuthenticatedRequest, chosen: Import) -> str:
    asked = request.GET.get("show", "")
    if asked in SHOWN:
        return asked
    return next((show for show in (KEPT, *SHOWN) if chosen.counts.get(show)), Effect.CHANGED.value)


def _figures(chosen: Import, show: str) -> Iterator[ImportFigure]:
    labels = {
        Effect.CHANGED.value: gettext("Changed"),
        Effect.UNCHANGED.value: gettext("Already so"),
        Effect.REFUSED.value: gettext("Left out"),
    }
    if KEPT in chosen.counts:
        labels[KEPT] = gettext("Not undone")
    for value, label in labels.items():
        yield ImportFigure(value, label, chosen.counts.get(value, 0), value == show)
