"""Checks of hosts that transports share when a person saves an address."""

from collections.abc import Iterable

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from tms.lib.outgoing import ssrf_guard


def blocked(address: str) -> str:
    """Why nothing is sent to a private address."""
    values = {"address": address}
    return (
        gettext("Blocked: private address %(address)s. An administrator can allow it with TMS_INSIDE_DESTINATIONS.")
        % values
    )


def require_public(hosts: Iterable[str]) -> None:
    """Raises ValidationError for the first host that is, or resolves to, a blocked address."""
    for host in hosts:
        if address := ssrf_guard.refused_address(host, settings.INSIDE_DESTINATIONS):
            name = host.strip("[]")
            raise ValidationError(blocked(address if name == address else f"{name} ({address})"))
