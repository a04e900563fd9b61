"""Telegram: messages by a bot; recoveries are replies."""

import html
import re
from collections.abc import Mapping

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

MAX_TEXT = 4_096
MAX_TITLE = 500
BOT = _("Copy the token of the bot again, from @BotFather.")
MEMBER = _("Add the bot to the chat, and permit it to post there.")
ADVICE: Mapping[str, str | Promise] = {
    "chat not found": _("Check the chat ID, and add the bot to the chat. A person has to write to the bot first."),
    "message thread not found": _("Check the topic ID."),
    "unauthorized": BOT,
    "not found": BOT,
    "bot was kicked": MEMBER,
    "bot is not a member": MEMBER,
    "not enough rights": MEMBER,
    "have no rights": MEMBER,
    "bot was blocked": _("The person blocked the bot."),
    "initiate conversation": _("The person has to write to the bot first."),
}
"""Explanations by a part of Telegram's description; the first that occurs counts."""
ABOUT_THE_MESSAGE = ("message is too long", "can't parse entities", "message text is empty")
FIELDS = (
    TransportField(
        name="token",
        label=_("Bot token"),
        hint=_("In Telegram, write /newbot to @BotFather; for a bot that exists, /token."),
        expected=_("Enter the token as BotFather shows it: digits, a colon, and 35 letters and digits."),
        pattern=re.compile(r"[0-9]{6,12}:[A-Za-z0-9_-]{35}"),
        is_secret=True,
    ),
    TransportField(
        name="chat",
        label=_("Chat ID"),
        hint=_(
            "Add the bot to the group and write a message there. At api.telegram.org/bot<token>/getUpdates, it is"
            " chat.id; of a group it begins with a minus. A public channel has a name: @example."
        ),
        expected=_("Enter a number such as -1001234567890, or the name of a public channel such as @example."),
        pattern=re.compile(r"-?[0-9]{1,16}|@[A-Za-z][A-Za-z0-9_]{3,31}"),
        example="-1001234567890",
    ),
    TransportField(
        name="topic",
        label=_("Topic ID"),
        hint=_("Only in a group with topics: the number at the end of a topic's link."),
        expected=_("Enter the number of the topic, or nothing."),
        pattern=re.compile(r"[0-9]{1,10}"),
        is_required=False,
    ),
)


class Telegram(ServiceTransport):
    name = "telegram"
    position = 14
    label = "Telegram"
    summary = _("To a person, group or channel, by a bot. Recoveries are replies.")
    icon = "comment"
    fields = FIELDS
    api = "https://api.telegram.org"

    def shown(self, values: Values) -> str:
        return values.get("chat", "")

    def send(self, to: Recipient, message: Message) -> SendResult:
        url, until = f"{self.api}/bot{to.value('token')}/sendMessage", http_client.deadline()
        return http_client.guarded(lambda: _result(http_client.post_json(url, content(to, message), until)))


def content(to: Recipient, message: Message) -> dict[str, object]:
    topic = {"message_thread_id": int(to.value("topic"))} if to.value("topic") else {}
    return {
        "chat_id": to.value("chat"),
        "text": text_of(message),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
        **topic,
        **_reply(message.reply_to),
    }


def text_of(message: Message) -> str:
    """The part of the message that Telegram takes."""
    card = card_of(message)
    links = "\n".join(f'<a href="{html.escape(url)}">{html.escape(label)}</a>' for label, url in card.links)
    text = f"<b>{html.escape(shortened(card.title, MAX_TITLE))}</b>"
    for line in [*(f"{label}: {value}" for label, value in card.facts), *card.lines]:
        escaped = html.escape(line)
        if len(text) + len(escaped) + len(links) > MAX_TEXT - 4:
            text += "\n…"
            break
        text += f"\n{escaped}"
    return f"{text}\n{links}" if links else text


def _reply(reply_to: str) -> dict[str, object]:
    """A message without it, if that message was deleted."""
    if not reply_to.isdecimal():
        return {}
    return {"reply_parameters": {"message_id": int(reply_to), "allow_sending_without_reply": True}}


def _result(answer: ApiAnswer) -> SendResult:
    said = answer.field("description")
    if answer.is_success and answer.data.get("ok") is True:
        message = answer.data.get("result")
        number = message.get("message_id", "") if isinstance(message, dict) else ""
        return SendResult.delivered(answer.describe("ok"), reference=str(number))
    about = answer.data.get("parameters")
    about = about if isinstance(about, dict) else {}
    if any(part in said.lower() for part in ABOUT_THE_MESSAGE):
        return SendResult.failed(answer.describe(said))
    return SendResult.retry(
        answer.describe(said), retry_after_s=_wait_s(about.get("retry_after"), answer), advice=_advice(said, about)
    )


def _wait_s(seconds: object, answer: ApiAnswer) -> float | None:
    return float(seconds) if isinstance(seconds, int) and seconds >= 0 else answer.retry_after_s


def _advice(said: str, about: Mapping[str, object]) -> str:
    if isinstance(moved := about.get("migrate_to_chat_id"), int):
        return gettext("The group has another chat ID now: %(id)s. Enter it.") % {"id": moved}
    return str(next((advice for part, advice in ADVICE.items() if part in said.lower()), ""))
