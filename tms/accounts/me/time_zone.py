"""The time zone of each request."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from tms.accounts.models import User
from tms.lib.calendar.time_zones import zone_named


class TimeZoneMiddleware:
    """Activates the time zone that a person chose, for what the server writes; otherwise that of TMS applies."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with timezone.override(chosen_zone(request.user)):
            return self.get_response(request)


def zone_of_reader(person: object) -> ZoneInfo:
    """The time zone that a person chose, otherwise that of TMS."""
    return chosen_zone(person) or ZoneInfo(settings.TIME_ZONE)


def chosen_zone(person: object) -> ZoneInfo | None:
    return zone_named(person.time_zone) if isinstance(person, User) else None
