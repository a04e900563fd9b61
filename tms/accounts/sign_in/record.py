"""django-axes records who signed in and out. It counts no guesses: it kept a row for them that grew with each."""

from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from django.http import HttpRequest


class SignInRecord(AxesDatabaseHandler):  # type: ignore[misc]  # django-axes has no types
    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
    ) -> None:
        """Failures are counted in `counters` for as long as their window, and in `tms_sign_ins`."""
