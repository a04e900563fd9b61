"""The step of a sign-in that asks for the second factor."""

from allauth.mfa.stages import AuthenticateStage
from django.http import HttpResponse
from django.shortcuts import redirect

from tms.accounts.sessions import provider as provider_sessions


class SecondFactorStage(AuthenticateStage):  # type: ignore[misc]  # django-allauth has no types
    """The step after the password, for people with an authenticator app or a passkey.

    A factor that they used at an identity provider takes its place, if the provider's settings say so.
    """

    urlname = "second-factor"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        is_asked = self._should_handle(self.request) and not provider_sessions.has_factor(self.request, self.login.user)
        return (redirect(self.urlname) if is_asked else None), True
