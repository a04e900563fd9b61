"""Opsgenie, and its successor Jira Service Management: the same API. An alert or incident is one alert there."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.notifications.transports import http_client
from tms.notifications.transports.base import Recipient, ServiceTransport
from tms.notifications.transports.card import Subject, card_of, key_of, shortened, sites_of, subjects_of
from tms.notifications.transports.fields import Values
from tms.notifications.transports.http_client import ApiAnswer, seconds_of
from tms.notifications.transports.message import TEST, Message
from tms.notifications.transports.opsgenie import form
from tms.notifications.transports.result import SendOutcome, SendResult

MAX_MESSAGE, MAX_DESCRIPTION, MAX_TAG = 130, 15_000, 50
ACKNOWLEDGE, CLOSE = "acknowledge", "close"
ACTIONS = {"acknowledged": ACKNOWLEDGE, "resolved": CLOSE}
"""By kind of notification; any other creates, which changes nothing but a count if there is one."""
PRIORITIES = {"critical": "P1", "warning": "P3", "info": "P5"}
KEY = _("Check the API key, whether its integration is turned on, and the account.")
ADVICE = {
    401: KEY,
    403: _("Give the integration the rights “Create and Update access”, and check the API key."),
    402: _("The plan of the account does not include the API."),
    404: KEY,
}


class Opsgenie(ServiceTransport):
    name = "opsgenie"
    position = 16
    has_links = False
    label = "Opsgenie"
    summary = _("Or Jira Service Management. Opens, acknowledges and closes an alert there together with that of TMS.")
    icon = "phone"
    fields = form.FIELDS
    is_one_by_one = True
    follows_alerts = True
    hosts: Mapping[str, str] = form.HOSTS

    def shown(self, values: Values) -> str:
        return self.hosts.get(values.get("region", ""), self.hosts["us"]).partition("://")[2].partition("/")[0]

    def send(self, to: Recipient, message: Message) -> SendResult:
        if not subjects_of(message) and message.kind != TEST:
            return SendResult.failed(gettext("Opsgenie takes alerts only. Choose another destination for reports."))
        host, known = self.hosts[to.value("region") or "us"], {"Authorization": f"GenieKey {to.value('key')}"}
        return http_client.guarded(lambda: _post_all(host, known, message))


def _post_all(host: str, known: Mapping[str, str], message: Message) -> SendResult:
    """Repeating all of them does no harm: Opsgenie recognises each by its alias."""
    until, result = http_client.deadline(), SendResult.retry(gettext("No response in time."))
    for path, content in requests(message):
        result = _result(http_client.post_json(f"{host}/v2/alerts{path}", content, until, known))
        if result.outcome is not SendOutcome.DELIVERED:
            break
    return result


def requests(message: Message) -> Iterator[tuple[str, dict[str, Any]]]:
    """Path after `/v2/alerts`, and body. A test opens an alert and closes it."""
    if message.kind == TEST:
        alias = f"tms/test/{message.uid}"
        yield "", _created(message, alias, {})
        yield _path(alias, CLOSE), _noted(message)
        return
    for subject in subjects_of(message):
        alias, action = key_of(message, subject), ACTIONS.get(message.kind, "")
        yield (_path(alias, action), _noted(message)) if action else ("", _created(message, alias, subject))


def _path(alias: str, action: str) -> str:
    return f"/{quote(alias, safe='')}/{action}?identifierType=alias"


def _noted(message: Message) -> dict[str, Any]:
    return {"source": "TMS", "note": shortened(message.title, MAX_DESCRIPTION)}


def _created(message: Message, alias: str, subject: Subject) -> dict[str, Any]:
    card = card_of(message)
    sites = sites_of([subject])
    return {
        "message": shortened(card.title, MAX_MESSAGE),
        "alias": alias,
        "description": shortened("\n".join([card.title, *card.lines, card.url]).strip(), MAX_DESCRIPTION),
        "details": {label: value for label, value in [*card.facts, (gettext("Link"), card.url)] if value},
        "entity": (subject.get("terminal") or {}).get("uid") or next(iter(sites), "TMS"),
        "tags": ["TMS", *(shortened(site.replace(",", " "), MAX_TAG) for site in sites)],
        "priority": PRIORITIES.get(message.severity, "P5"),
        "source": "TMS",
    }


def _result(answer: ApiAnswer) -> SendResult:
    """202: taken, and done a moment later. 422: the message is not valid."""
    faults = answer.data.get("errors")
    named = [f"{name}: {text}" for name, text in faults.items()] if isinstance(faults, dict) else []
    said = "; ".join([answer.field("message") or answer.field("result"), *named]).strip("; ")
    if answer.is_success:
        return SendResult.delivered(answer.describe(said))
    advice = str(ADVICE.get(answer.status, ""))
    if answer.status in (400, 413, 422):
        return SendResult.failed(answer.describe(said), advice=advice)
    wait_s = answer.retry_after_s or seconds_of(answer.headers.get("X-RateLimit-Period-In-Sec", ""))
    return SendResult.retry(answer.describe(said), retry_after_s=wait_s, advice=advice)
