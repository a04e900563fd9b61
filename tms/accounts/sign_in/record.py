"""django-axes records who signed in and out. It does not count failures: it would store a row for each."""

from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from django.http import HttpRequest


class SignInRecord(AxesDatabaseHandler):  # type: ignore[misc]  # django-axes has no types
    def user_login_failed(
        self, sender: object, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
    ) -> None:
        """Failures are counted in `counters` for their window, and in the metric `tms_sign_ins`."""
