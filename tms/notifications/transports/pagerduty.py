"""PagerDuty: Events API v2. An alert or incident is one alert there, acknowledged and resolved together with it."""

import re
from collections.abc import Iterator
from functools import partial

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.notifications.transports import http_client
from tms.notifications.transports.alert_service import AlertService, Post
from tms.notifications.transports.base import Recipient
from tms.notifications.transports.card import SubjectFacts, card_of, key_of, rule_of, shortened, sites_of, subjects_of
from tms.notifications.transports.fields import TransportField
from tms.notifications.transports.http_client import ApiAnswer
from tms.notifications.transports.message import TEST, Message
from tms.notifications.transports.result import SendResult

MAX_SUMMARY = 1_024
TRIGGER, RESOLVE = "trigger", "resolve"
ACTIONS = {"acknowledged": "acknowledge", "resolved": RESOLVE}
"""Actions by kind of notification; any other triggers."""
ADVICE = {
    400: _("Check the integration key: it belongs to an Events API V2 integration of a service."),
    403: _("Check the integration key, and whether the region is right."),
    404: _("Check the integration key, and whether the region is right."),
}
HOSTS = {"us": "https://events.pagerduty.com", "eu": "https://events.eu.pagerduty.com"}
FIELDS = (
    TransportField(
        name="key",
        label=_("Integration key"),
        hint=_(
            "In PagerDuty, Services, your service, Integrations, Add an integration, “Events API V2”: the Integration"
            " Key. A key of Event Orchestration works too."
        ),
        expected=_("Enter the 32 letters and digits of an Events API V2 integration key; not a REST API key."),
        pattern=re.compile(r"[A-Za-z0-9]{32}"),
        is_secret=True,
    ),
    TransportField(
        name="region",
        label=_("Service region"),
        hint=_("In the address of your account: example.pagerduty.com is US, example.eu.pagerduty.com is EU."),
        choices=(("us", "US"), ("eu", "EU")),
    ),
)


class PagerDuty(AlertService):
    name = "pagerduty"
    position = 15
    label = "PagerDuty"
    summary = _("Opens an alert there, and acknowledges and resolves it together with that of TMS.")
    fields = FIELDS
    hosts = HOSTS

    def posts(self, to: Recipient, message: Message) -> Iterator[Post]:
        url = f"{self.host({'region': to.value('region')})}/v2/enqueue"
        bodies = ({"routing_key": to.value("key"), **event} for event in events(message))
        return (partial(http_client.post_json, url, body) for body in bodies)

    def result(self, answer: ApiAnswer) -> SendResult:
        """202: taken. 400: not valid; of a key PagerDuty checks the form only at once."""
        faults = answer.data.get("errors")
        said = "; ".join([answer.field("message"), *map(str, faults if isinstance(faults, list) else ())]).strip("; ")
        if answer.is_success:
            return SendResult.delivered(answer.describe(said))
        advice = str(ADVICE.get(answer.status, ""))
        if answer.status in (400, 413) and "routing_key" not in said:
            return SendResult.failed(answer.describe(said), advice=advice)
        return SendResult.retry(answer.describe(said), retry_after_s=answer.retry_after_s, advice=advice)


def events(message: Message) -> list[dict[str, object]]:
    """The events without the key. A test opens an alert and resolves it."""
    if message.kind == TEST:
        named = f"tms/test/{message.uid}"
        return [_event(message, TRIGGER, named, {}), {"event_action": RESOLVE, "dedup_key": named}]
    action = ACTIONS.get(message.kind, TRIGGER)
    return [_event(message, action, key_of(message, one), one) for one in subjects_of(message)]


def _event(message: Message, action: str, named: str, subject: SubjectFacts) -> dict[str, object]:
    card = card_of(message)
    terminal, sites = subject.get("terminal") or {}, sites_of([subject])
    links = [{"href": card.url, "text": gettext("Open in TMS")}] if card.url else []
    details = {**dict(card.facts), gettext("Details"): "\n".join(card.lines)}
    return {
        "event_action": action,
        "dedup_key": named,
        "client": "TMS",
        **({"client_url": card.url} if card.url else {}),
        "links": links,
        "payload": {
            "summary": shortened(card.title, MAX_SUMMARY),
            "source": terminal.get("uid") or next(iter(sites), "TMS"),
            "severity": message.severity or "info",
            "timestamp": message.at.isoformat(),
            **({"component": terminal["uid"]} if terminal else {}),
            **({"group": sites[0]} if sites else {}),
            **({"class": rule} if (rule := rule_of(subject)) else {}),
            "custom_details": details,
        },
    }
