"""PagerDuty: Events API v2. An alert or incident is one alert there, acknowledged and resolved together with it."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.notifications.transports import http_client
from tms.notifications.transports.base import Recipient, ServiceTransport
from tms.notifications.transports.card import Subject, card_of, key_of, shortened, sites_of, subjects_of
from tms.notifications.transports.fields import Values
from tms.notifications.transports.http_client import ApiAnswer
from tms.notifications.transports.message import TEST, Message
from tms.notifications.transports.pagerduty import form
from tms.notifications.transports.result import SendOutcome, SendResult

MAX_SUMMARY = 1_024
TRIGGER, RESOLVE = "trigger", "resolve"
ACTIONS = {"acknowledged": "acknowledge", "resolved": RESOLVE}
"""By kind of notification; any other triggers."""
ADVICE = {
    400: _("Check the integration key: it belongs to an Events API V2 integration of a service."),
    403: _("Check the integration key, and whether the region is right."),
    404: _("Check the integration key, and whether the region is right."),
}


class PagerDuty(ServiceTransport):
    name = "pagerduty"
    position = 15
    has_links = False
    label = "PagerDuty"
    summary = _("Opens an alert there, and acknowledges and resolves it together with that of TMS.")
    icon = "phone"
    fields = form.FIELDS
    is_one_by_one = True
    follows_alerts = True
    hosts: Mapping[str, str] = form.HOSTS

    def shown(self, values: Values) -> str:
        return self.hosts.get(values.get("region", ""), self.hosts["us"]).partition("://")[2]

    def send(self, to: Recipient, message: Message) -> SendResult:
        if not subjects_of(message) and message.kind != TEST:
            return SendResult.failed(gettext("PagerDuty takes alerts only. Choose another destination for reports."))
        url = f"{self.hosts[to.value('region') or 'us']}/v2/enqueue"
        return http_client.guarded(lambda: _post_all(url, to.value("key"), message))


def _post_all(url: str, key: str, message: Message) -> SendResult:
    """Repeating all of them does no harm: PagerDuty recognises each by its key."""
    until, result = http_client.deadline(), SendResult.retry(gettext("No response in time."))
    for event in events(message):
        result = _result(http_client.post_json(url, {"routing_key": key, **event}, until))
        if result.outcome is not SendOutcome.DELIVERED:
            break
    return result


def events(message: Message) -> list[dict[str, Any]]:
    """Without the key. A test opens an alert and resolves it."""
    if message.kind == TEST:
        named = f"tms/test/{message.uid}"
        return [_event(message, TRIGGER, named, {}), {"event_action": RESOLVE, "dedup_key": named}]
    action = ACTIONS.get(message.kind, TRIGGER)
    return [_event(message, action, key_of(message, one), one) for one in subjects_of(message)]


def _event(message: Message, action: str, named: str, subject: Subject) -> dict[str, Any]:
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
            **({"class": subject["rule"]["name"]} if subject.get("rule") else {}),
            "custom_details": details,
        },
    }


def _result(answer: ApiAnswer) -> SendResult:
    """202: taken. 400: not valid; of a key PagerDuty checks the form only at once."""
    faults = answer.data.get("errors")
    said = "; ".join([answer.field("message"), *map(str, faults if isinstance(faults, list) else ())]).strip("; ")
    if answer.is_success:
        return SendResult.delivered(answer.describe(said))
    advice = str(ADVICE.get(answer.status, ""))
    if answer.status in (400, 413) and "routing_key" not in said:
        return SendResult.failed(answer.describe(said), advice=advice)
    return SendResult.retry(answer.describe(said), retry_after_s=answer.retry_after_s, advice=advice)
