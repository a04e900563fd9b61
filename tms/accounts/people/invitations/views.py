"""Invite a person; the page behind the link in the mail."""

from http import HTTPStatus

from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_texts
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.models import Invitation
from tms.accounts.people import holdings
from tms.accounts.people.actions import manageable
from tms.accounts.people.context import ShownSecret
from tms.accounts.people.invitations import services
from tms.accounts.people.invitations.forms import AcceptForm, InviteForm
from tms.accounts.people.views import list_page, person_page
from tms.accounts.permissions import Permission
from tms.accounts.sign_in import steps


@require_POST
@never_cache
@needs(Permission.MANAGE_PEOPLE)
def invite(request: AuthenticatedRequest) -> HttpResponse:
    """Create the person with their first grants, and send the link."""
    if "more" in request.POST:
        return list_page(request, InviteForm(request.POST, by=request.user, is_longer=True))
    form = InviteForm(request.POST, by=request.user)
    made = _create(request, form) if form.is_valid() else None
    if made is None:
        return list_page(request, form, is_refused=True)
    return _send(request, *made)


def _create(request: AuthenticatedRequest, form: InviteForm) -> tuple[Invitation, str] | None:
    """The new invitation and its secret; None if a colleague invited the same person at the same time."""
    email, language = form.cleaned_data["email"], form.cleaned_data["language"]
    try:
        with transaction.atomic():
            made = services.invite(email, language=language, by=request.user, at=timezone.now())
            for role, scope in form.granted:
                holdings.give(role, scope, to=made[0].person, by=request.user)
    except IntegrityError:
        form.add_error("email", gettext("This person was invited a moment ago."))
        return None
    return made


@require_POST
@never_cache
@needs(Permission.MANAGE_PEOPLE)
def resend_invitation(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Replaces the earlier link."""
    person = manageable(request, pk)
    invitation = get_object_or_404(Invitation.objects.pending(), person=person)
    secret = services.renew(invitation, at=timezone.now())
    return _send(request, invitation, secret) if secret else redirect("person", pk)


def _send(request: AuthenticatedRequest, invitation: Invitation, secret: str) -> HttpResponse:
    """Send the link; without a mail server, show it instead."""
    path = reverse("invitation", args=(secret,))
    link = settings.PUBLIC_URL.rstrip("/") + path if settings.PUBLIC_URL else request.build_absolute_uri(path)
    if not settings.EMAIL_URL:
        title = gettext("Link for %(email)s") % {"email": invitation.person.email}
        hint = gettext("No mail server is configured. Give this link to the person; it is shown only once.")
        return person_page(request, invitation.person, secret=ShownSecret(title, link, hint))
    try:
        services.send(invitation, link=link, at=timezone.now())
    except services.NotSentError as error:
        text = gettext("The invitation was not sent. The mail server answered: %(reason)s")
        return person_page(request, invitation.person, failure=text % {"reason": error})
    return redirect(f"{reverse('person', args=(invitation.person_id,))}?done=sent")


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Name and password of a new person, who is signed in then. Invalid links all look alike."""
    found = services.find(secret, at=timezone.now())
    if found is None:
        return render(request, "accounts/people/invitation.html", status=HTTPStatus.NOT_FOUND)
    is_sent = request.method == "POST"
    form = AcceptForm(found.person, request.POST if is_sent else None)
    if is_sent and form.is_valid():
        return _accept(request, found, form)
    values = {"form": form, "person": found.person, "rules": password_validators_help_texts()}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_sent else HTTPStatus.OK
    return render(request, "accounts/people/invitation.html", values, status=status)


def _accept(request: HttpRequest, found: Invitation, form: AcceptForm) -> HttpResponse:
    password = form.cleaned_data["new_password1"]
    if not services.accept(found, found.person, password=password, at=timezone.now()):
        return render(request, "accounts/people/invitation.html", status=HTTPStatus.NOT_FOUND)
    return steps.after_password(request, found.person, next_page=resolve_url("overview"))
