"""The page of the shift digest, its notes and its sign-off."""

from http import HTTPStatus

from django.http import Http404, HttpResponse, HttpResponseBadRequest, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tms.accounts.access import demand, visible
from tms.accounts.audit import recorder
from tms.accounts.decorators import AuthenticatedRequest, needs, sign_in_required
from tms.accounts.permissions import Permission
from tms.boards.digest.forms import NoteForm, NoteTextForm, SignOffForm
from tms.boards.list_filters.choices import Choice
from tms.boards.toasts import add_toast, toast
from tms.shifts import notes
from tms.shifts.digest import markdown
from tms.shifts.digest.digest import digest
from tms.shifts.models import Note
from tms.shifts.period import Period
from tms.shifts.sign_offs import BadPeriod, sign_off
from tms.shifts.undo import offer_restoring

LABELS = {"8h": _("8 h"), "12h": _("12 h"), "24h": _("24 h"), "7d": _("7 d")}


@require_safe
@never_cache
@sign_in_required
def shift_digest(request: AuthenticatedRequest) -> HttpResponse:
    return _show(request, NoteForm(by=request.user))


@require_safe
@never_cache
@sign_in_required
def digest_as_markdown(request: AuthenticatedRequest) -> HttpResponse:
    span = _span(request.GET)
    name = f"tms-digest-{span.until_shown.replace(':', '')}.md"
    text = markdown.markdown(digest(span.since, span.until, to=request.user), span.clocks)
    recorder.record_export(Note, "md", request.GET.urlencode())
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text, content_type="text/markdown; charset=utf-8", headers=headers)


@require_POST
@never_cache
@needs(Permission.WRITE_NOTES)
def write_note(request: AuthenticatedRequest) -> HttpResponse:
    form = NoteForm(request.POST, by=request.user)
    if not form.is_valid():
        return _show(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    notes.write(**form.cleaned_data, by=request.user, at=timezone.now())
    return redirect(f"{reverse('digest')}?{request.GET.urlencode()}#notes")


@require_POST
@never_cache
@needs(Permission.WRITE_NOTES)
def sign_off_digest(request: AuthenticatedRequest) -> HttpResponse:
    """The person who takes over confirms the period that the page showed."""
    form = SignOffForm(request.POST, by=request.user)
    if not form.is_valid():
        return HttpResponseBadRequest(gettext("Sign off from the page of the shift digest."))
    since, until = form.cleaned_data["since"], form.cleaned_data["until"]
    try:
        sign_off(since, until, by=request.user, at=timezone.now(), owner=form.owner_key)
    except BadPeriod as error:
        return HttpResponseBadRequest(str(error))
    return redirect(f"{reverse('digest')}?{request.GET.urlencode()}#signed")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.WRITE_NOTES)
def edit_note(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    note = _own(request, pk)
    form = NoteTextForm(request.POST if request.method == "POST" else None, initial={"text": note.text})
    if form.is_valid():
        notes.edit(note, form.cleaned_data["text"], by=request.user, at=timezone.now())
        return redirect(f"{reverse('digest')}?{request.GET.urlencode()}#notes")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    context = {"nav_item": "digest", "note": note, "form": form}
    return render(request, "boards/digest/note.html", context, status=status)


@require_POST
@never_cache
@needs(Permission.WRITE_NOTES)
def delete_note(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Delete one's own note. Idempotent."""
    note = visible(Note.objects.filter(pk=pk), to=request.user).first()
    if note is not None:
        demand(request.user, Permission.WRITE_NOTES, note)
        if not notes.delete(note, by=request.user):
            raise Http404
        add_toast(request, toast(_("Note deleted"), "", offer_restoring(note, by=request.user)))
    return redirect(f"{reverse('digest')}?{request.GET.urlencode()}#notes")


def _show(request: AuthenticatedRequest, form: NoteForm, *, status: int = HTTPStatus.OK) -> HttpResponse:
    span = _span(request.GET)
    shown = digest(span.since, span.until, to=request.user)
    context: dict[str, object] = {
        "nav_item": "digest",
        "digest": shown,
        "span": span,
        "spans": [Choice(name, label, name == span.preset, f"?span={name}") for name, label in LABELS.items()],
        "title": markdown.title(shown, span.clocks),
        "markdown": markdown.markdown(shown, span.clocks),
        "form": form,
        "signing": SignOffForm(by=request.user, auto_id="sign_%s"),
    }
    return render(request, "boards/digest/digest.html", context, status=status)


def _span(query: QueryDict) -> Period:
    return Period.of_digest(query, at=timezone.now())


def _own(request: AuthenticatedRequest, pk: int) -> Note:
    note = get_object_or_404(visible(Note.objects.filter(by=request.user), to=request.user), pk=pk)
    demand(request.user, Permission.WRITE_NOTES, note)
    return note
