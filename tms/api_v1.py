"""The REST API, version 1: what each part of TMS offers, put together."""

from tms.alerts.lifecycle import AlreadyResolved, ChangedMeanwhile
from tms.api import alerts, deeds, fleet
from tms.rest.api import Api

api = Api(
    [fleet.routes, alerts.routes, deeds.routes],
    {AlreadyResolved: 409, ChangedMeanwhile: 409},
    title="TMS",
    version="1",
    description="Terminals, alerts, rules, maintenance and notifications of a TMS. "
    "Every request carries a token that acts as a person, and is told what was wrong as a problem document (RFC 9457).",
    urls_namespace="v1",
)
