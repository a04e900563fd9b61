"""The tour of a new demo: six steps that a visitor can leave at any time."""

from typing import NamedTuple

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import may
from tms.demo.breaking import client
from tms.demo.breaking.forms import PERMISSION
from tms.demo.people import VISITOR

COOKIE, COOKIE_AGE_S = "tms_tour", 365 * 86_400


class TourStep(NamedTuple):
    """`target` is a CSS selector on the overview; the step points to it."""

    target: str
    title: str | Promise
    text: str | Promise


STEPS = (
    TourStep(
        "#total-critical",
        _("How many, how bad"),
        _("Open alerts by severity, and how many nobody acknowledged. The line is the last hour."),
    ),
    TourStep(
        "#incidents",
        _("One incident, not thirty alerts"),
        _(
            "Terminals that are lost together become one incident, with one acknowledgement. "
            "The demo starts with one: Haneda Airport, acknowledged by K. Sato."
        ),
    ),
    TourStep("#sites", _("Every site at a glance"), _("One cell for each site, coloured by its worst alert.")),
    TourStep(
        "#changes",
        _("What just happened"),
        _("The last fifteen minutes: what was lost, what returned, and who did what."),
    ),
    TourStep(
        ".proof",
        _("The board checks itself"),
        _("It compares what it shows with the database every few seconds, and says so if it is late."),
    ),
    TourStep(
        "#nav-break",
        _("Break something"),
        _("Cut a site, heat a kiosk, clone a terminal, and watch the boards. Everything can be undone."),
    ),
)


def demo(request: HttpRequest) -> dict[str, object]:
    """Context of every page: whether this is a demo, the tour on the overview, the account on the sign-in page.

    `?tour` begins the tour again.
    """
    if not client.is_demo() or not getattr(request, "user", None):
        return {}
    match = request.resolver_match
    if match is not None and match.url_name == "sign-in":
        return {"visitor": VISITOR}
    wants_tour = COOKIE not in request.COOKIES or "tour" in request.GET
    is_there = match is not None and match.url_name == "overview"
    tour = STEPS if wants_tour and is_there else ()
    return {"is_demo": True, "may_break": may(request.user, PERMISSION), "tour": tour}
