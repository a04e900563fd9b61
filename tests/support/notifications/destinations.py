"""Destinations of tests."""

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tms.notifications.models.destination import Destination


def webhook_destination(url: str, name: str = "Hook", **fields: Any) -> Destination:
    destination = Destination(kind="webhook", name=name, **fields)
    destination.set_address(url)
    destination.new_key()
    destination.save()
    return destination


def service_destination(kind: str, values: Mapping[str, str] | None = None, **fields: Any) -> Destination:
    """One of a service with values of its own."""
    destination = Destination(kind=kind, **{"name": kind} | fields)
    destination.set_values(SERVICE_VALUES[kind] | (values or {}))
    destination.save()
    return destination


def _private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


SERVICE_VALUES: dict[str, dict[str, str]] = {
    "slack": {"token": "xoxb-1111-2222-s3cretvalue", "channel": "C0123456789"},
    "teams": {
        "url": "https://prod-00.japaneast.logic.azure.com:443/workflows/ab12/triggers/manual/paths/invoke"
        "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=s3cretvalue"
    },
    "line_works": {
        "bot": "1234567",
        "to": "12a3b456-7c89-0d12-e345-67f890a12b34",
        "client_id": "Ab12Cd34",
        "client_secret": "s3cretvalue",
        "account": "abcde.serviceaccount@example",
        "private_key": _private_key(),
    },
    "telegram": {"token": "123456789:s3cretvalue-s3cretvalue-s3cretvalue", "chat": "-1001234567890", "topic": ""},
    "pagerduty": {"key": "s3cretvalue" + "0" * 21, "region": "us"},
    "opsgenie": {"key": "01234567-89ab-cdef-0123-456789abcdef", "region": "us"},
}
"""Valid values of each service; secrets contain `s3cretvalue`, if their form permits it."""
