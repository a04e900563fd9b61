"""The keys of one terminal: issue, rotate, revoke. A key is shown once, in the response itself."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.permissions import Permission
from tms.fleet.credentials import services
from tms.fleet.manage import page
from tms.fleet.manage.forms import KeyRotationForm
from tms.fleet.manage.page import Question
from tms.fleet.manage.rows import MARK_CHARACTERS
from tms.fleet.manage.views import show_terminal
from tms.fleet.models import Credential, Terminal


@require_POST
@never_cache
@needs(Permission.ENROL_TERMINALS)
def issue_key(request: AuthenticatedRequest, uid: str) -> HttpResponse:
    """The keys before stay valid."""
    terminal = page.find_terminal(request, uid, Permission.ENROL_TERMINALS)
    try:
        key = services.issue(terminal)
    except services.Retired:
        return show_terminal(request, terminal, problem=retired_text(terminal))
    return page.show_key(request, terminal, key)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.ENROL_TERMINALS)
def rotate_key(request: AuthenticatedRequest, uid: str) -> HttpResponse:
    terminal = page.find_terminal(request, uid, Permission.ENROL_TERMINALS)
    form = KeyRotationForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return page.ask(request, terminal, _about_rotating(terminal), form)
    at, overlap = timezone.now(), form.cleaned_data["overlap"]
    try:
        key = services.rotate(terminal, at=at, overlap=overlap)
    except services.Retired:
        return show_terminal(request, terminal, problem=retired_text(terminal))
    return page.show_key(request, terminal, key, others_end_at=at + overlap)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.ENROL_TERMINALS)
def revoke_key(request: AuthenticatedRequest, uid: str, pk: int) -> HttpResponse:
    terminal = page.find_terminal(request, uid, Permission.ENROL_TERMINALS)
    key = get_object_or_404(Credential, terminal=terminal, pk=pk)
    if request.method != "POST":
        return page.ask(request, terminal, _about_revoking(terminal, key))
    if services.revoke(Credential.objects.filter(pk=key.pk), at=timezone.now()):
        messages.success(request, gettext("Key revoked"))
    return redirect(page.address_of(terminal))


def retired_text(terminal: Terminal) -> str:
    return gettext("%(uid)s is retired. Bring it back first.") % {"uid": terminal.uid}


def _about_rotating(terminal: Terminal) -> Question:
    return Question(
        gettext("Rotate the key of %(uid)s") % {"uid": terminal.uid},
        [
            gettext("You get a new key, which is shown once."),
            gettext(
                "The keys before stay valid for the time below, so that the device can change over without a break."
            ),
        ],
        gettext("Make new key"),
    )


def _about_revoking(terminal: Terminal, key: Credential) -> Question:
    others = Credential.objects.valid(timezone.now()).filter(terminal=terminal).exclude(pk=key.pk)
    consequences = [gettext("A link that uses it closes within 5 seconds, and the key is refused from then on.")]
    if not others.exists():
        consequences.append(gettext("It has no other valid key: it cannot connect until it gets one."))
    title = gettext("Revoke key %(key)s of %(uid)s?") % {"key": key.digest[:MARK_CHARACTERS], "uid": terminal.uid}
    return Question(title, consequences, gettext("Revoke"), is_dangerous=True)
