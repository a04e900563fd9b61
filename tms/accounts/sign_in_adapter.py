"""How django-allauth signs people in here."""

from ipaddress import IPv4Address, ip_address
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from tms.accounts.factors import policy
from tms.accounts.models import User
from tms.accounts.sessions import provider as provider_sessions
from tms.accounts.sessions.keys import list_browser
from tms.accounts.sign_in import break_glass, device
from tms.accounts.sign_in.throttle import name_hash

UNKNOWN_ADDRESS = str(IPv4Address(0))


class SignInAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # django-allauth has no types
    """What django-allauth asks about a sign-in: which steps it has, and what follows. It writes no messages or mail."""

    def get_login_stages(self) -> list[str]:
        return ["tms.accounts.factors.second_factor.SecondFactorStage"]

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """The pages of TMS state results themselves."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """REMOTE_ADDR, which a trusted proxy has set; without a valid one 0.0.0.0."""
        try:
            return str(ip_address(request.META.get("REMOTE_ADDR", "").partition("%")[0]))
        except ValueError:
            return UNKNOWN_ADDRESS

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        return redirect("sign-in")

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Finish a sign-in, after the last step only: a browser is not known to a person of whom it has just the
        password.
        """
        response: HttpResponse = super().post_login(request, user, **kwargs)
        list_browser(request)
        provider_sessions.note(request, user)
        if not provider_sessions.has_factor(request, user):
            policy.note(request, user, at=timezone.now())
        break_glass.note(request, user)
        device.remember(response, device.of(request.COOKIES), name_hash(user.get_username()))
        return response
