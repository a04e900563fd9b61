"""Slack: messages by an app, with recoveries as replies, or by an incoming webhook."""

import re
from collections.abc import Iterable, Iterator, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.notifications.transports import http_client
from tms.notifications.transports.base import Recipient, ServiceTransport
from tms.notifications.transports.card import card_of, shortened
from tms.notifications.transports.fields import TransportField, Values
from tms.notifications.transports.http_client import ApiAnswer
from tms.notifications.transports.message import Message
from tms.notifications.transports.result import SendResult

WEBHOOK_URL = re.compile(r"https://hooks\.slack(-gov)?\.com/[A-Za-z0-9/_-]{10,200}")
FIELDS = (
    TransportField(
        name="token",
        label=_("Bot token or webhook URL"),
        hint=_(
            "At api.slack.com/apps, your app, OAuth & Permissions: the Bot User OAuth Token (scope chat:write)."
            " With it, recoveries become replies. An incoming webhook URL works too."
        ),
        expected=_("Enter a token that begins with xoxb-, or a URL that begins with https://hooks.slack.com/."),
        pattern=re.compile(rf"xoxb-[A-Za-z0-9-]{{10,250}}|{WEBHOOK_URL.pattern}"),
        example="xoxb-…",
        is_secret=True,
    ),
    TransportField(
        name="channel",
        label=_("Channel"),
        hint=_(
            "In Slack, the name of the channel at its top, About: the channel ID is at the end."
            " Invite the app there with /invite. A webhook URL has its own channel."
        ),
        expected=_("Enter a channel ID such as C0123456789, or a name such as #noc."),
        pattern=re.compile(r"[CGDU][A-Z0-9]{6,20}|#[^\s#@,]{1,80}"),
        example="C0123456789",
        is_required=False,
    ),
)
MAX_TEXT, MAX_HEADER = 2_900, 150
"""Characters of a section, of a header: Slack rejects 3,000 and 150."""
INVITE = _("Invite the app to the channel with /invite, and check the channel ID.")
TOKEN = _("Copy the bot token of the app again, from OAuth & Permissions.")
WEBHOOK = _("Copy the webhook URL of the app again, from Incoming Webhooks.")
ADVICE: Mapping[str, str | Promise] = {
    "channel_not_found": INVITE,
    "not_in_channel": INVITE,
    "is_archived": _("The channel is archived. Enter another one."),
    "channel_is_archived": _("The channel is archived. Enter another one."),
    "missing_scope": _("Add the scope chat:write to the app, and install it again."),
    "restricted_action": _("The workspace does not permit apps to post there. Ask its administrator."),
    "invalid_auth": TOKEN,
    "not_authed": TOKEN,
    "account_inactive": TOKEN,
    "token_revoked": TOKEN,
    "token_expired": TOKEN,
    "no_service": WEBHOOK,
    "no_team": WEBHOOK,
    "invalid_token": WEBHOOK,
}
"""Explanations by the error that Slack names."""
ABOUT_THE_MESSAGE = frozenset(
    {"invalid_blocks", "invalid_attachments", "msg_too_long", "no_text", "too_many_attachments", "invalid_payload"}
)
"""Another attempt would fail in the same way; everything else may be mended meanwhile."""
DELETED = frozenset({"thread_not_found", "message_not_found", "cannot_reply_to_message"})
"""The message to reply to; a new one takes its place."""
LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})


class Slack(ServiceTransport):
    name = "slack"
    position = 11
    label = "Slack"
    summary = _("To a channel. Recoveries are replies, and change the message.")
    icon = "comment"
    fields = FIELDS
    api = "https://slack.com/api"

    def faults(self, values: Values) -> Iterator[tuple[str, str]]:
        token, channel = values.get("token", ""), values.get("channel", "")
        if token and not channel and not is_webhook(token):
            yield "channel", gettext("Enter the channel to which the app posts.")
        if channel and is_webhook(token):
            yield "channel", gettext("Leave the channel empty: the webhook URL has its own.")

    def shown(self, values: Values) -> str:
        return values.get("channel") or "hooks.slack.com/…"

    def send(self, to: Recipient, message: Message) -> SendResult:
        token, until = to.value("token"), http_client.deadline()
        if is_webhook(token):
            return http_client.guarded(lambda: _result(http_client.post_json(token, content(message), until)))
        return http_client.guarded(lambda: self._post(token, to.value("channel"), message, until))

    def _post(self, token: str, channel: str, message: Message, until: float) -> SendResult:
        """A reply, if there is a message to reply to; that one changes too, if it was about nothing else."""
        channel_id, _, instant = message.reply_to.partition(" ")
        known = {"Authorization": f"Bearer {token}"}
        sent = content(message)
        if instant and message.replaces:
            changed = http_client.post_json(
                f"{self.api}/chat.update", {**sent, "channel": channel_id, "ts": instant}, until, known
            )
            if changed.status == 429 or changed.status >= 500:
                return _result(changed)
        reply = {"channel": channel_id, "thread_ts": instant} if instant else {"channel": channel}
        answer = http_client.post_json(f"{self.api}/chat.postMessage", {**sent, **reply}, until, known)
        if instant and answer.field("error") in DELETED:
            answer = http_client.post_json(f"{self.api}/chat.postMessage", {**sent, "channel": channel}, until, known)
        return _result(answer)


def is_webhook(token: str) -> bool:
    return token.startswith("https://")


def content(message: Message) -> dict[str, object]:
    """The message as text for notifications, and as an attachment with the colour of its severity."""
    card = card_of(message)
    blocks: list[dict[str, object]] = [_section(f"*{escape(shortened(card.title, MAX_HEADER))}*")]
    if card.facts:
        fields = [f"*{escape(label)}*\n{escape(shortened(value, 500))}" for label, value in card.facts]
        blocks.append({"type": "section", "fields": [{"type": "mrkdwn", "text": text} for text in fields]})
    if text := _fitting([escape(line) for line in card.lines]):
        blocks.append(_section(text))
    if card.links:
        blocks.append({"type": "actions", "elements": [_button(label, url) for label, url in card.links]})
    return {
        "text": escape(shortened(card.title, MAX_TEXT)),
        "attachments": [{"color": card.colour, "blocks": blocks}],
        "unfurl_links": False,
    }


def escape(text: str) -> str:
    """Escape Slack's mrkdwn: otherwise a label of a terminal could notify a whole channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _section(text: str) -> dict[str, object]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _button(label: str, url: str) -> dict[str, object]:
    return {"type": "button", "text": {"type": "plain_text", "text": label}, "url": url[:3_000]}


def _fitting(lines: Iterable[str]) -> str:
    """The text of as many lines as a section takes."""
    text = ""
    for line in lines:
        if len(text) + len(line) >= MAX_TEXT:
            return f"{text}\n…"
        text = f"{text}\n{line}" if text else line
    return text


def _result(answer: ApiAnswer) -> SendResult:
    """The Web API answers 200 with an error in its JSON; webhooks answer with a status and the error as text."""
    error = answer.field("error") or ("" if answer.is_success else answer.text.strip())
    if answer.is_success and (answer.data.get("ok") is True or answer.text.strip() == "ok"):
        reference = f"{answer.field('channel')} {answer.field('ts')}" if answer.field("ts") else ""
        return SendResult.delivered(answer.describe("ok"), reference=reference)
    if answer.status == 429 or error in LIMITED:
        return SendResult.retry(answer.describe(error), retry_after_s=answer.retry_after_s)
    advice = str(ADVICE.get(error, ""))
    if error in ABOUT_THE_MESSAGE:
        return SendResult.failed(answer.describe(error), advice=advice)
    return SendResult.retry(answer.describe(error), advice=advice, retry_after_s=answer.retry_after_s)
