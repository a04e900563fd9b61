"""Microsoft Teams: an adaptive card, posted by a workflow of Power Automate."""

import re
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.notifications.transports import http_client
from tms.notifications.transports.addresses import require_public
from tms.notifications.transports.base import Recipient, ServiceTransport
from tms.notifications.transports.card import Card, card_of, first_lines, shortened
from tms.notifications.transports.fields import TransportField, Values
from tms.notifications.transports.http_client import ApiAnswer
from tms.notifications.transports.message import Message
from tms.notifications.transports.result import SendResult

MAX_URL = 1_500
EXPECTED = _(
    "Enter the whole URL of a workflow: https://…/triggers/manual/paths/invoke?…&sig=…. URLs of connectors"
    " (webhook.office.com) no longer work."
)
FIELDS = (
    TransportField(
        name="url",
        label=_("Workflow URL"),
        hint=_(
            "In Teams, ⋯ at the channel, Workflows, “Send webhook alerts to a channel”: the URL is shown at the end."
            " A workflow belongs to the person who made it; add a second owner."
        ),
        expected=EXPECTED,
        pattern=re.compile(r"https://[^\s/?#@]+/[^\s?#]+\?[^\s#]+"),
        example="https://….logic.azure.com:443/workflows/…/triggers/manual/paths/invoke?…&sig=…",
        is_secret=True,
        max_length=MAX_URL,
    ),
)
CARD = "application/vnd.microsoft.card.adaptive"
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
MAX_LINES, MAX_LINE = 20, 500
"""Teams takes 28 KB; a character takes four bytes at most, six if it is escaped."""
TONES = {"critical": "attention", "warning": "warning", "info": "accent", "resolved": "default"}
ADVICE = {
    400: _("Teams does not take this request. Copy the URL of the workflow again, as a whole."),
    401: _("The signature in the URL is not valid. Copy the URL of the workflow again, as a whole."),
    403: _("The workflow permits only people of the organisation. Set its trigger to “Anyone”."),
    404: _("The workflow was deleted or turned off, or its owner left. Create one, and enter its URL."),
    410: _("The workflow was deleted. Create one, and enter its URL."),
}
"""Explanations by status; what Teams says about it is in the response."""


class Teams(ServiceTransport):
    name = "teams"
    position = 12
    label = "Microsoft Teams"
    summary = _("To a channel or chat, as a card, through a workflow.")
    icon = "comment"
    fields = FIELDS

    def faults(self, values: Values) -> Iterator[tuple[str, str]]:
        if not (url := values.get("url", "")):
            return
        from urllib3.exceptions import LocationParseError
        from urllib3.util import parse_url

        if not _is_of_workflow(url):
            yield "url", str(EXPECTED)
            return
        try:
            require_public([parse_url(url).host or ""])
        except LocationParseError:
            yield "url", gettext("Not a URL. A port must be from 1 to 65535.")
        except ValidationError as error:
            yield "url", str(error.message)

    def shown(self, values: Values) -> str:
        return gettext("Workflow")

    def send(self, to: Recipient, message: Message) -> SendResult:
        until = http_client.deadline()
        return http_client.guarded(
            lambda: _result(http_client.post_json(to.value("url"), content(card_of(message)), until))
        )


def _is_of_workflow(url: str) -> bool:
    path, _, query = url.partition("?")
    signature = any(part.startswith("sig=") and len(part) > len("sig=") for part in query.split("&"))
    return "/triggers/" in path and path.endswith("/paths/invoke") and signature


def content(card: Card) -> dict[str, object]:
    """The content as the trigger of the workflow expects it."""
    title = {"type": "TextBlock", "text": escape(shortened(card.title, MAX_LINE)), "wrap": True}
    facts = [{"title": label, "value": escape(shortened(value, MAX_LINE))} for label, value in card.facts]
    lines = [escape(shortened(line, MAX_LINE)) for line in first_lines(card.lines, MAX_LINES)]
    body: list[dict[str, Any]] = [
        {**title, "weight": "bolder", "size": "medium", "color": TONES[card.tone]},
        *([{"type": "FactSet", "facts": facts}] if facts else []),
        *({"type": "TextBlock", "text": line, "wrap": True} for line in lines),
    ]
    actions = [{"type": "Action.OpenUrl", "title": label, "url": url} for label, url in card.links]
    adaptive = {
        "$schema": SCHEMA,
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": actions,
        "msteams": {"width": "Full"},
    }
    return {"type": "message", "attachments": [{"contentType": CARD, "contentUrl": None, "content": adaptive}]}


def escape(text: str) -> str:
    """Escape the Markdown of a text block: a label of a terminal shows as it is."""
    return "".join(f"\\{char}" if char in r"\`*_[]()#+-!>|~" else char for char in text)


def _result(answer: ApiAnswer) -> SendResult:
    said = " ".join(filter(None, (answer.field("error", "code"), answer.field("error", "message"))))
    if answer.is_success:
        return SendResult.delivered(answer.describe(said))
    if answer.status == 413:
        return SendResult.failed(answer.describe(said))
    advice = str(ADVICE.get(answer.status, ""))
    return SendResult.retry(answer.describe(said), retry_after_s=answer.retry_after_s, advice=advice)
