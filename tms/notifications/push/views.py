"""The browsers on a person's own page: add, test and remove them, and choose of what they notify."""

import secrets
from collections.abc import Mapping
from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.db.models import Max, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_POST

from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.accounts.factors.confirmation import recently_signed_in
from tms.accounts.me import panels
from tms.accounts.sign_in import counters
from tms.accounts.sign_in.counters import Limit
from tms.notifications.destinations.test_send import send_test
from tms.notifications.models.delivery import DeliveryState
from tms.notifications.models.device import PushDevice
from tms.notifications.push import browsers, keys
from tms.notifications.push.browsers import UserAgent
from tms.notifications.push.forms import BrowserPreferencesForm, SubscriptionForm
from tms.notifications.transports.result import SendOutcome

TESTS_OF_PERSON = Limit("tests", "", 10, 600)
"""Test messages in ten minutes, so that the button does not serve to trouble a push service."""


def panel(request: AuthenticatedRequest) -> Mapping[str, object] | None:
    """The section of the person's own page."""
    if not settings.PUSH:
        return None
    sent = Max("destination__deliveries__ended_at", filter=Q(destination__deliveries__state=DeliveryState.SENT))
    return {
        "browsers": PushDevice.objects.of(request.user).annotate(used_at=sent),
        "browser_form": BrowserPreferencesForm(request.user),
        "public_key": keys.current(at=timezone.now()).public_key,
    }


panels.register(panels.Panel("notifications/browsers/panel.html", panel))


@require_POST
@recently_signed_in
def add_browser(request: AuthenticatedRequest) -> HttpResponse:
    """A subscription lasts longer than the session, so it needs a recent sign-in."""
    _require_push()
    form = SubscriptionForm(request.POST)
    if not form.is_valid():
        return _refuse(request, form.fault)
    at = timezone.now()
    agent = UserAgent(request.headers.get("User-Agent", "")[:500], get_language() or settings.LANGUAGE_CODE)
    try:
        browsers.add(request.user, form.cleaned_data["subscription"], agent, key=keys.current(at=at), at=at)
    except browsers.TooManyBrowsers:
        text = gettext("You already have %(number)d browsers. Remove one first.")
        return _refuse(request, text % {"number": browsers.MAX_BROWSERS})
    except browsers.ForeignBrowser:
        return _refuse(request, gettext("Another person uses this address. Block and allow notifications, then retry."))
    return redirect(f"{resolve_url('me')}?saved=browsers#browsers")


@require_POST
@sign_in_required
def save_browser_preferences(request: AuthenticatedRequest) -> HttpResponse:
    """Save what a person chose for their browsers. Answers htmx with the form, and others with the page."""
    form = BrowserPreferencesForm(request.user, request.POST)
    is_valid = form.is_valid()
    if is_valid:
        form.store()
    if request.htmx:
        status = HTTPStatus.OK if is_valid else HTTPStatus.UNPROCESSABLE_ENTITY
        shown = {"section": "browsers", "template": "notifications/browsers/preferences.html", "is_saved": is_valid}
        return render(request, "accounts/me/section.html", {**shown, "browser_form": form}, status=status)
    if not is_valid:
        return _refuse(request, gettext("Choose a part of the fleet that you see."))
    return redirect(f"{resolve_url('me')}?saved=browsers#browsers")


@require_POST
@sign_in_required
def test_browser(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    browser = _own(request, pk)
    limit = TESTS_OF_PERSON._replace(key=f"browser-tests-{request.user.pk}")
    if counters.apply(lambda each: each.begin([limit], secrets.token_hex(8))) is not None:
        return _refuse(request, gettext("Too many tests. Try again in ten minutes."))
    result = send_test(browser.destination)
    if result.is_gone:
        browsers.remove_gone(browser.destination, at=timezone.now())
    level = messages.SUCCESS if result.outcome is SendOutcome.DELIVERED else messages.ERROR
    messages.add_message(request, level, f"{browser.name}: {result.detail}")
    return _back()


@require_POST
@sign_in_required
def remove_browser(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    browser = _own(request, pk)
    browsers.remove(browser, at=timezone.now())
    messages.success(request, gettext("Removed: %(name)s") % {"name": browser.name})
    return _back()


def _own(request: AuthenticatedRequest, pk: int) -> PushDevice:
    return get_object_or_404(PushDevice.objects.of(request.user), pk=pk)


def _require_push() -> None:
    if not settings.PUSH:
        raise Http404


def _refuse(request: AuthenticatedRequest, text: str) -> HttpResponse:
    messages.error(request, text)
    return _back()


def _back() -> HttpResponse:
    return redirect(f"{resolve_url('me')}#browsers")
