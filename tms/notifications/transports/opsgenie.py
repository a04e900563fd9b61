"""Opsgenie, and its successor Jira Service Management: the same API. An alert or incident is one alert there."""

import re
from collections.abc import Iterator
from functools import partial
from urllib.parse import quote

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.notifications.transports import http_client
from tms.notifications.transports.alert_service import AlertService, Post
from tms.notifications.transports.base import Recipient
from tms.notifications.transports.card import SubjectFacts, card_of, key_of, shortened, sites_of, subjects_of
from tms.notifications.transports.fields import TransportField
from tms.notifications.transports.http_client import ApiAnswer, seconds_of
from tms.notifications.transports.message import TEST, Message
from tms.notifications.transports.result import SendResult

MAX_MESSAGE, MAX_DESCRIPTION, MAX_TAG = 130, 15_000, 50
ACKNOWLEDGE, CLOSE = "acknowledge", "close"
ACTIONS = {"acknowledged": ACKNOWLEDGE, "resolved": CLOSE}
"""Actions by kind of notification; any other creates, which changes nothing but a count if there is one."""
PRIORITIES = {"critical": "P1", "warning": "P3", "info": "P5"}
KEY = _("Check the API key, whether its integration is turned on, and the account.")
ADVICE = {
    401: KEY,
    403: _("Give the integration the rights “Create and Update access”, and check the API key."),
    402: _("The plan of the account does not include the API."),
    404: KEY,
}
HOSTS = {
    "us": "https://api.opsgenie.com",
    "eu": "https://api.eu.opsgenie.com",
    "jira": "https://api.atlassian.com/jsm/ops/integration",
}
FIELDS = (
    TransportField(
        name="key",
        label=_("API key"),
        hint=_(
            "In Opsgenie, Settings, Integrations, Add integration, “API”, with Create and Update access. In Jira"
            " Service Management, Operations, your team, Integrations, “API”."
        ),
        expected=_("Enter the key of an API integration, such as 01234567-89ab-cdef-0123-456789abcdef."),
        pattern=re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
        is_secret=True,
    ),
    TransportField(
        name="region",
        label=_("Account"),
        hint=_("In its address: app.opsgenie.com, app.eu.opsgenie.com, or atlassian.net. Opsgenie ends in April 2027."),
        choices=(("us", "Opsgenie US"), ("eu", "Opsgenie EU"), ("jira", "Jira Service Management")),
    ),
)


class Opsgenie(AlertService):
    name = "opsgenie"
    position = 16
    label = "Opsgenie"
    summary = _("Or Jira Service Management. Opens, acknowledges and closes an alert there together with that of TMS.")
    fields = FIELDS
    hosts = HOSTS

    def posts(self, to: Recipient, message: Message) -> Iterator[Post]:
        known = {"Authorization": f"GenieKey {to.value('key')}"}
        base = f"{self.host({'region': to.value('region')})}/v2/alerts"
        return (
            partial(http_client.post_json, f"{base}{path}", content, headers=known)
            for path, content in requests(message)
        )

    def result(self, answer: ApiAnswer) -> SendResult:
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


def requests(message: Message) -> Iterator[tuple[str, dict[str, object]]]:
    """Path after `/v2/alerts`, and body. A test opens an alert and closes it."""
    if message.kind == TEST:
        alias = f"tms/test/{message.uid}"
        yield "", _alert_body(message, alias, {})
        yield _path(alias, CLOSE), _note_body(message)
        return
    for subject in subjects_of(message):
        alias, action = key_of(message, subject), ACTIONS.get(message.kind, "")
        yield (_path(alias, action), _note_body(message)) if action else ("", _alert_body(message, alias, subject))


def _path(alias: str, action: str) -> str:
    return f"/{quote(alias, safe='')}/{action}?identifierType=alias"


def _note_body(message: Message) -> dict[str, object]:
    return {"source": "TMS", "note": shortened(message.title, MAX_DESCRIPTION)}


def _alert_body(message: Message, alias: str, subject: SubjectFacts) -> dict[str, object]:
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
