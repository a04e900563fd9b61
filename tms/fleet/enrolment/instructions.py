"""How the device of a new terminal uses its token: a command for a shell, and a QR code."""

import shlex
from typing import NamedTuple
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import reverse

from tms.lib.qr_code import qr_path


class QrCode(NamedTuple):
    side: int
    """The number of modules in a row."""
    path: str


class Instructions(NamedTuple):
    token: str
    command: str
    """Lines for a shell on Linux with tms-agent."""
    code: QrCode
    """The address at which the token is redeemed and, behind `#`, the token: a browser that opens it sends none."""


def instructions(
    request: HttpRequest,
    token: str,
    *,
    kind: str = "",
    serial: str = "",
    needs_site: bool = False,
    needs_serial: bool = False,
) -> Instructions:
    """`kind` and `serial`: what the device says of itself, if the token needs it."""
    address = request.build_absolute_uri(reverse("api-enrol"))
    # The agent reports the name of its host as the serial number, unless it is configured to report another one.
    known = '"$(hostname)"' if needs_serial else shlex.quote(serial) if serial else ""
    options = {"token": shlex.quote(token), "kind": kind, "site": '"$SITE"' if needs_site else "", "serial": known}
    command = f"tms-agent enrol --url={_origin(address)}"
    # With `=`, because a token may begin with a hyphen.
    command += "".join(f" --{name}={value}" for name, value in options.items() if value)
    command = f"{command} &&\ntms-agent"
    if needs_site:
        command = f"SITE=CODE\n{command}"
    return Instructions(token, command, QrCode(*qr_path(f"{address}#{token}")))


def key_command(request: HttpRequest) -> str:
    """Lines for a shell that reads a key, which so gets into no history, and starts the agent with it."""
    agent = f"tms-agent --url {_origin(request.build_absolute_uri())} --credential-file credential"
    return f'(umask 077; read -r key && echo "$key" > credential) &&\n{agent}'


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
