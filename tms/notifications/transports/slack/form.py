"""What Slack needs: the token of an app and a channel, or an incoming webhook."""

import re
from collections.abc import Iterator

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.notifications.transports.fields import TransportField, Values

WEBHOOK = re.compile(r"https://hooks\.slack(-gov)?\.com/[A-Za-z0-9/_-]{10,200}")

FIELDS = (
    TransportField(
        name="token",
        label=_("Bot token or webhook URL"),
        hint=_(
            "At api.slack.com/apps, your app, OAuth & Permissions: the Bot User OAuth Token (scope chat:write)."
            " With it, recoveries become replies. An incoming webhook URL works too."
        ),
        expected=_("Enter a token that begins with xoxb-, or a URL that begins with https://hooks.slack.com/."),
        pattern=re.compile(rf"xoxb-[A-Za-z0-9-]{{10,250}}|{WEBHOOK.pattern}"),
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


def is_webhook(token: str) -> bool:
    return token.startswith("https://")


def faults(values: Values) -> Iterator[tuple[str, str]]:
    token, channel = values.get("token", ""), values.get("channel", "")
    if token and not channel and not is_webhook(token):
        yield "channel", gettext("Enter the channel to which the app posts.")
    if channel and is_webhook(token):
        yield "channel", gettext("Leave the channel empty: the webhook URL has its own.")
