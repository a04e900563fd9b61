"""What the pages for managing a terminal share: finding it, questions, keys and tokens that are shown once."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import NamedTuple

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from tms.accounts.access import demand, visible
from tms.accounts.decorators import AuthenticatedRequest
from tms.accounts.permissions import Permission
from tms.fleet.devices import undo
from tms.fleet.enrolment.instructions import instructions, key_command
from tms.fleet.models import Terminal
from tms.protocol.credential import PlainCredential


class Question(NamedTuple):
    """A page that says what an action does, and asks for the rest of it."""

    title: str
    consequences: Sequence[str]
    act: str
    """The label of the button; empty if it cannot be done."""
    is_dangerous: bool = False


class IssuedSecret(NamedTuple):
    """A key or token. It is in the response itself and nowhere else."""

    title: str
    label: str
    text: str
    command: str
    hint: str
    valid_until: datetime | None = None
    """The end of a token, or of the keys that a new one replaces."""


def find_terminal(request: AuthenticatedRequest, uid: str, permission: Permission | None = None) -> Terminal:
    """A terminal that the person sees, otherwise 404. Raises Forbidden without the permission for it."""
    terminal: Terminal = get_object_or_404(visible(rows(), to=request.user), uid=uid)
    if permission is not None:
        demand(request.user, permission, terminal)
    return terminal


def rows() -> QuerySet[Terminal]:
    return Terminal.objects.select_related("site", "state", "parent")


def address_of(terminal: Terminal) -> str:
    return reverse("manage-terminal", args=(terminal.uid,))


def ask(
    request: AuthenticatedRequest,
    terminal: Terminal,
    question: Question,
    form: forms.Form | None = None,
    *,
    template: str = "question",
    problem: str = "",
    **more: object,
) -> HttpResponse:
    """The page of a question; 422 if its form was sent with errors, 409 if `problem` says why it was not done."""
    context = {"question": question, "form": form, "problem": problem, **more}
    if problem:
        return show(request, terminal, template, context, status=HTTPStatus.CONFLICT)
    is_refused = form is not None and form.is_bound
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_refused else HTTPStatus.OK
    return show(request, terminal, template, context, status=status)


def show(
    request: AuthenticatedRequest,
    terminal: Terminal,
    template: str,
    context: dict[str, object],
    *,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    shared = {"nav_item": "terminals", "terminal": terminal, "back": address_of(terminal)}
    return render(request, f"fleet/manage/{template}.html", {**shared, **context}, status=status)


def show_key(
    request: AuthenticatedRequest, terminal: Terminal, key: PlainCredential, *, others_end_at: datetime | None = None
) -> HttpResponse:
    secret = IssuedSecret(
        title=gettext("New key of %(uid)s") % {"uid": terminal.uid},
        label=gettext("Key"),
        text=str(key),
        command=key_command(request),
        hint=gettext(
            "Paste it into a shell on Linux, where tms-agent is installed; then paste the key, and press Enter."
        ),
        valid_until=others_end_at,
    )
    return _show_secret(request, terminal, secret, is_key=True)


def show_token(
    request: AuthenticatedRequest, terminal: Terminal, token: str, *, serial: str, valid_until: datetime
) -> HttpResponse:
    secret = IssuedSecret(
        title=gettext("Enrolment token for %(uid)s") % {"uid": terminal.uid},
        label=gettext("Enrolment token"),
        text=token,
        command=instructions(request, token, serial=serial).command,
        hint=gettext(
            "Paste it into a shell on Linux, where tms-agent is installed. "
            "The device fetches its key, once. Until then the terminal cannot connect."
        ),
        valid_until=valid_until,
    )
    return _show_secret(request, terminal, secret, is_key=False)


def _show_secret(
    request: AuthenticatedRequest, terminal: Terminal, secret: IssuedSecret, *, is_key: bool
) -> HttpResponse:
    context = {"secret": secret, "is_key": is_key, "replaced": undo.undoable(terminal, at=timezone.now())}
    return show(request, terminal, "secret", context)
