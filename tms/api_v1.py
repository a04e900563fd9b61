"""The REST API, version 1: what each part of TMS offers, put together."""

from collections.abc import Mapping

from tms.alerts.edits import OutOfDate
from tms.alerts.lifecycle import AlreadyResolved, ChangedMeanwhile
from tms.alerts.maintenance import NotOn
from tms.api import (alerts, deeds, folding, incidents, maintenance, rules, shifts, times)
from tms.fleet import api as fleet_api
from tms.fleet.sites import hours_api
from tms.notifications.api import deliveries, destinations, policies, rotations
from tms.rest.api import Api

OF_ALERTS = (alerts, deeds, times, incidents, folding, rules, maintenance)
PARTS = (fleet_api, hours_api, *OF_ALERTS, shifts, destinations, policies, rotations, deliveries)
REFUSALS: Mapping[type[Exception], int] = {
    AlreadyResolved: 409,
    ChangedMeanwhile: 409,
    NotOn: 409,
    OutOfDate: 412,
}
api = Api(
    [part.routes for part in PARTS],
    REFUSALS,
    title="TMS",
    version="1",
    description="Terminals, alerts, rules, maintenance and notifications of a TMS. "
    "Every request carries a token that acts as a person, and is told what was wrong as a problem document (RFC 9457).",
    urls_namespace="v1",
)
