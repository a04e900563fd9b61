"""Destinations of tests."""

from typing import Any

from tms.notifications.models.destination import Destination


def webhook_destination(url: str, name: str = "Hook", **fields: Any) -> Destination:
    destination = Destination(kind="webhook", name=name, **fields)
    destination.set_address(url)
    destination.new_key()
    destination.save()
    return destination
