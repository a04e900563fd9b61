"""LINE WORKS: flexible messages of a bot, to a channel or a member."""

import re
from collections.abc import Iterator
from urllib.parse import quote

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.notifications.transports import http_client
from tms.notifications.transports.base import Recipient, ServiceTransport
from tms.notifications.transports.card import Card, card_of, first_lines, shortened
from tms.notifications.transports.fields import TransportField, Values
from tms.notifications.transports.http_client import ApiAnswer, seconds_of
from tms.notifications.transports.line_works.tokens import TokenDenied, credentials_key, issue, token_cache
from tms.notifications.transports.message import Message
from tms.notifications.transports.result import SendResult

MAX_PEM = 8_000
MAX_BITS = 8_192
"""The largest size of a key; the time to use one grows with the third power."""
FIELDS = (
    TransportField(
        name="bot",
        label=_("Bot ID"),
        hint=_("In the Developer Console, Bot, your bot: the number under Bot ID."),
        expected=_("Enter the number of the bot."),
        pattern=re.compile(r"[0-9]{1,15}"),
    ),
    TransportField(
        name="to",
        label=_("Channel ID or member"),
        hint=_(
            "In LINE WORKS, the menu of the talk room with the bot: the channel ID is at the end."
            " Or a member, by the login ID."
        ),
        expected=_(
            "Enter a channel ID such as 12a3b456-7c89-0d12-e345-67f890a12b34, or a login ID such as aoki@example."
        ),
        pattern=re.compile(
            r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,100}"
        ),
    ),
    TransportField(
        name="client_id",
        label=_("Client ID"),
        hint=_("In the Developer Console, API, your app. It needs the scope “bot” or “bot.message”."),
        expected=_("Enter the client ID as the Developer Console shows it: letters, digits, - and _."),
        pattern=re.compile(r"[A-Za-z0-9_-]{4,80}"),
    ),
    TransportField(
        name="client_secret",
        label=_("Client secret"),
        hint=_("Beside the client ID."),
        expected=_("Enter the client secret as the Developer Console shows it: letters, digits, - and _."),
        pattern=re.compile(r"[A-Za-z0-9_-]{4,80}"),
        is_secret=True,
    ),
    TransportField(
        name="account",
        label=_("Service account"),
        hint=_("In the Developer Console, your app, Service Account."),
        expected=_("Enter the service account; it ends in @ and your domain."),
        pattern=re.compile(r"[A-Za-z0-9._-]{1,80}@[A-Za-z0-9.-]{1,100}"),
        example="xxxxx.serviceaccount@example",
    ),
    TransportField(
        name="private_key",
        label=_("Private key"),
        hint=_("Beside the service account, Private Key: the whole content of the file that is downloaded."),
        expected=_("Enter the whole file, from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY-----."),
        pattern=re.compile(
            r"\s*-----BEGIN (RSA )?PRIVATE KEY-----[A-Za-z0-9+/=\s]+-----END (RSA )?PRIVATE KEY-----\s*"
        ),
        is_secret=True,
        is_long=True,
        max_length=MAX_PEM,
    ),
)
MAX_ALT, MAX_TITLE, MAX_LINES, MAX_LINE, MAX_URL, MAX_LABEL = 400, 300, 10, 300, 1_000, 20
ADVICE = {
    400: _("Check the bot ID and the channel ID."),
    401: _("Check the client ID, the client secret, the service account and the private key."),
    403: _("Add the bot to the channel, and give the app the scope “bot” or “bot.message”."),
    404: _("Check the bot ID and the channel ID, and add the bot to the channel."),
}
CREDENTIALS = ADVICE[401]


class LineWorks(ServiceTransport):
    name = "line_works"
    position = 13
    label = "LINE WORKS"
    summary = _("To a channel or a member, by a bot.")
    icon = "comment"
    fields = FIELDS
    api = "https://www.worksapis.com/v1.0"
    auth = "https://auth.worksmobile.com/oauth2/v2.0/token"

    def faults(self, values: Values) -> Iterator[tuple[str, str]]:
        """A key that has the form, but cannot sign."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            key = load_pem_private_key(values.get("private_key", "").strip().encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            yield "private_key", gettext("This key cannot be read. Download it again, and enter the whole file.")
            return
        if not isinstance(key, RSAPrivateKey) or key.key_size > MAX_BITS:
            yield "private_key", gettext("Enter the RSA key that the Developer Console issued.")

    def shown(self, values: Values) -> str:
        return values.get("to", "")

    def send(self, to: Recipient, message: Message) -> SendResult:
        return http_client.guarded(lambda: self._attempt(to, message, http_client.deadline()))

    def _attempt(self, to: Recipient, message: Message, until: float) -> SendResult:
        """A token that was revoked is renewed once."""
        key, tokens = credentials_key(to), token_cache()
        is_new = not (token := tokens.get(key))
        try:
            if not token:
                token, valid_s = issue(self.auth, to, until)
                tokens.put(key, token, valid_s)
            answer = self._post(to, message, token, until)
            if answer.status == 401:
                tokens.drop(key)
                if not is_new:
                    token, valid_s = issue(self.auth, to, until)
                    tokens.put(key, token, valid_s)
                    answer = self._post(to, message, token, until)
        except TokenDenied as error:
            return _refusal(error.answer)
        return _result(answer)

    def _post(self, to: Recipient, message: Message, token: str, until: float) -> ApiAnswer:
        recipient = to.value("to")
        kind = "users" if "@" in recipient else "channels"
        url = f"{self.api}/bots/{to.value('bot')}/{kind}/{quote(recipient, safe='')}/messages"
        return http_client.post_json(url, content(card_of(message)), until, {"Authorization": f"Bearer {token}"})


def content(card: Card) -> dict[str, object]:
    """A bubble: title on the colour of the severity, facts, lines, and buttons."""
    facts = [_text(f"{label}: {shortened(value, MAX_LINE)}", "#6b7480") for label, value in card.facts]
    lines = [_text(shortened(line, MAX_LINE), "#1c2126") for line in first_lines(card.lines, MAX_LINES)]
    title = {**_text(shortened(card.title, MAX_TITLE), "#ffffff"), "weight": "bold", "size": "md"}
    bubble: dict[str, object] = {
        "type": "bubble",
        "header": {**_box([title]), "backgroundColor": card.colour},
        "body": _box([*facts, *lines] or [_text("TMS", "#6b7480")]),
    }
    if buttons := [_button(label, url) for label, url in card.links if len(url) <= MAX_URL]:
        bubble["footer"] = _box(buttons)
    return {"content": {"type": "flex", "altText": shortened(card.title, MAX_ALT), "contents": bubble}}


def _text(text: str, colour: str) -> dict[str, object]:
    return {"type": "text", "text": text or " ", "wrap": True, "size": "sm", "color": colour}


def _button(label: str, url: str) -> dict[str, object]:
    action = {"type": "uri", "label": shortened(label, MAX_LABEL), "uri": url}
    return {"type": "button", "action": action, "style": "link", "height": "sm"}


def _box(contents: list[dict[str, object]]) -> dict[str, object]:
    return {"type": "box", "layout": "vertical", "spacing": "sm", "contents": contents}


def _refusal(answer: ApiAnswer) -> SendResult:
    """No token. Credentials are mended while TMS retries."""
    said = " ".join(filter(None, (answer.field("error"), answer.field("error_description"))))
    is_known = answer.status in (400, 401, 403)
    return SendResult.retry(
        answer.describe(said), retry_after_s=_wait_s(answer), advice=str(CREDENTIALS) if is_known else ""
    )


def _result(answer: ApiAnswer) -> SendResult:
    """201 without a body, or a code and a description."""
    said = " ".join(filter(None, (answer.field("code"), answer.field("description"))))
    if answer.is_success:
        return SendResult.delivered(answer.describe(said))
    advice = str(ADVICE.get(answer.status, ""))
    return SendResult.retry(answer.describe(said), retry_after_s=_wait_s(answer), advice=advice)


def _wait_s(answer: ApiAnswer) -> float | None:
    """LINE WORKS names the seconds until its rate limit ends in a header of its own."""
    if answer.status != 429:
        return answer.retry_after_s
    return answer.retry_after_s or seconds_of(answer.headers.get("RateLimit-Reset", ""))
