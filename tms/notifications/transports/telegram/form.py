"""What Telegram needs: the token of a bot, and a chat."""

import re

from django.utils.translation import gettext_lazy as _

from tms.notifications.transports.fields import TransportField

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
