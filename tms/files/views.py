"""The download of a file for people."""

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.files.downloads import content_of
from tms.files.models import TerminalFile


@require_GET
@sign_in_required
def download_file(request: AuthenticatedRequest, pk: int) -> HttpResponseBase:
    """Everybody who sees the terminal sees the results of its commands, and so its files."""
    rows = TerminalFile.objects.select_related("terminal", "command")
    return content_of(get_object_or_404(access.visible(rows, to=request.user), pk=pk))
