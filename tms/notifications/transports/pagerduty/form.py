"""What PagerDuty needs: the integration key of a service, and the region of the account."""

import re

from django.utils.translation import gettext_lazy as _

from tms.notifications.transports.fields import TransportField

HOSTS = {"us": "https://events.pagerduty.com", "eu": "https://events.eu.pagerduty.com"}
FIELDS = (
    TransportField(
        name="key",
        label=_("Integration key"),
        hint=_(
            "In PagerDuty, Services, your service, Integrations, Add an integration, “Events API V2”: the Integration"
            " Key. A key of Event Orchestration works too."
        ),
        expected=_("Enter the 32 letters and digits of an Events API V2 integration key; not a REST API key."),
        pattern=re.compile(r"[A-Za-z0-9]{32}"),
        is_secret=True,
    ),
    TransportField(
        name="region",
        label=_("Service region"),
        hint=_("In the address of your account: example.pagerduty.com is US, example.eu.pagerduty.com is EU."),
        choices=(("us", "US"), ("eu", "EU")),
    ),
)
