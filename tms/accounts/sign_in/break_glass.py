"""Break-glass accounts: for emergencies, and watched instead of restricted. Each use raises an alarm."""

import structlog
from django.conf import settings
from django.http import HttpRequest

from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.accounts.sign_in.throttle import network
from tms.metrics.instruments import BREAK_GLASS

log = structlog.get_logger(__name__)


def is_named(person: User) -> bool:
    return person.get_username() in settings.BREAK_GLASS


def note(request: HttpRequest, person: User) -> None:
    """Called at each sign-in."""
    if not is_named(person):
        return
    BREAK_GLASS.inc()
    recorder.record("break-glass-used", person)
    log.critical(
        "break_glass_used", username=person.get_username(), address=network(request.META.get("REMOTE_ADDR", ""))
    )
