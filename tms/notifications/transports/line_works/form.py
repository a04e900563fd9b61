"""What LINE WORKS needs: a bot, a service account of an app, and a channel or a person."""

import re
from collections.abc import Iterator

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.notifications.transports.fields import TransportField, Values

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


def faults(values: Values) -> Iterator[tuple[str, str]]:
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
