"""What Opsgenie and Jira Service Management need: an API key, and where the account is."""

import re

from django.utils.translation import gettext_lazy as _

from tms.notifications.transports.fields import TransportField

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
