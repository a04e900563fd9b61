"""Parameter sets as files: the export, and the page that imports them into the draft."""

from collections.abc import Sequence
from http import HTTPStatus

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from tms.accounts.access import visible
from tms.accounts.audit import recorder
from tms.accounts.decorators import AuthenticatedRequest, needs, sign_in_required
from tms.configuration import parameter_sets
from tms.configuration.models import TerminalConfiguration
from tms.configuration.parameter_sets import TERMINAL, ParameterSets
from tms.configuration.places import EDIT
from tms.fleet.models import Terminal
from tms.lib import csv_export
from tms.lib.csv_export import Cell
from tms.transfer.forms import TableField
from tms.transfer.reading.files import UnreadableFile


class FileForm(forms.Form):
    file = TableField(label=_("File"), help_text=_("CSV or a workbook: a row a terminal, a column a key."))


@require_safe
@never_cache
@sign_in_required
def export(request: AuthenticatedRequest) -> HttpResponseBase:
    """The terminals that the person sees, with their effective values; `model` chooses. Secrets are left out."""
    model = request.GET.get("model", "")[:64]
    keys = parameter_sets.exported_keys(model)
    terminals = visible(Terminal.objects.counted(), to=request.user)
    chosen = terminals.filter(model=model) if model else terminals
    recorder.record_export(TerminalConfiguration, "csv", request.GET.urlencode())
    parts = parameter_sets.exported_rows(chosen, keys)

    def more() -> Sequence[Sequence[Cell]]:
        return next(parts, [])

    return csv_export.stream("configuration.csv", [TERMINAL, *(key.name for key in keys)], more)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(EDIT)
def import_sets(request: AuthenticatedRequest) -> HttpResponse:
    """POST puts a file into the draft, or says what is wrong with it. Who may edit is asked for each terminal."""
    if request.method != "POST":
        return _show(request, FileForm())
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _show(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    data = form.cleaned_data["file"].read()
    try:
        found, draft = parameter_sets.import_file(data, by=request.user, at=timezone.now())
    except UnreadableFile as error:
        form.add_error("file", error.text)
        return _show(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if found.errors:
        return _show(request, form, found, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if draft is None:
        messages.info(request, gettext("The file changes nothing."))
        return redirect("configuration")
    messages.success(request, gettext("Draft %(n)s has it.") % {"n": draft.number})
    return redirect("configuration-version", draft.number)


def _show(
    request: AuthenticatedRequest, form: FileForm, found: ParameterSets | None = None, *, status: int = HTTPStatus.OK
) -> HttpResponse:
    values = {"nav_item": "configuration", "form": form, "found": found}
    return render(request, "configuration/import.html", values, status=status)
