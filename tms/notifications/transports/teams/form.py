"""What Microsoft Teams needs: the URL of a workflow."""

import re
from collections.abc import Iterator

from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.notifications.transports.addresses import require_public
from tms.notifications.transports.fields import TransportField, Values

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


def faults(values: Values) -> Iterator[tuple[str, str]]:
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


def _is_of_workflow(url: str) -> bool:
    path, _, query = url.partition("?")
    signature = any(part.startswith("sig=") and len(part) > len("sig=") for part in query.split("&"))
    return "/triggers/" in path and path.endswith("/paths/invoke") and signature
