"""Who polls: the terminal whose credential is the token of its updater.

The credential decides, as for a link, not the name in the address: a device that was moved to another terminal keeps
its settings.
"""

from datetime import datetime

from django.http import HttpRequest

from tms.fleet.credentials import services as credentials
from tms.fleet.credentials.services import CredentialKey
from tms.fleet.enrolment import refusals


class Unauthorised(Exception):
    """No valid credential."""


def find_key(request: HttpRequest, *, at: datetime) -> CredentialKey:
    """Raises Unauthorised. A refusal is noted for people who wait for the first poll of a terminal."""
    offered = credentials.offered_in(request.headers.get("Authorization", ""))
    if offered is None:
        raise Unauthorised
    key = credentials.find_one(offered, at=at)
    if key is None:
        refusals.note_link(offered.uid, address=request.META.get("REMOTE_ADDR", ""), at=at)
        raise Unauthorised
    return key
