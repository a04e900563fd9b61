from allauth.mfa.stages import AuthenticateStage
from django.http import HttpResponse
from django.shortcuts import redirect


class SecondFactorStage(AuthenticateStage):  # type: ignore[misc]  # django-allauth has no types
    """The step after the password, for people with an authenticator app or a passkey."""

    urlname = "second-factor"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        return (redirect(self.urlname) if self._should_handle(self.request) else None), True
