"""How the device of a new terminal uses its token: a command for Linux, and a QR code."""

import json
from typing import NamedTuple
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import reverse

from tms.lib.qr_code import qr_path

LINK_PATH = "/ws/terminal/"
CREDENTIAL_OF_ANSWER = r"""'s/.*"credential": "\([^"]*\)".*/\1/p'"""


class QrCode(NamedTuple):
    side: int
    """The number of modules in a row."""
    path: str


class Instructions(NamedTuple):
    token: str
    command: str
    """Lines for a shell on Linux with curl and tms-agent."""
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
    fields = {"token": token, "kind": kind, "site": "$SITE" if needs_site else ""}
    # The agent reports the name of its host as the serial number.
    fields |= {"serial": "$(hostname)" if needs_serial else serial}
    command = _command(address, {name: value for name, value in fields.items() if value})
    if needs_site:
        command = f"SITE=CODE\n{command}"
    return Instructions(token, command, QrCode(*qr_path(f"{address}#{token}")))


def _command(address: str, fields: dict[str, str]) -> str:
    return (
        f"(umask 077; curl -fsS {address} -d {_quote(json.dumps(fields))} |\n"
        f"  sed -n {CREDENTIAL_OF_ANSWER} | grep . > credential) &&\n"  # grep fails without an answer
        f"{_agent(address)}"
    )


def key_command(request: HttpRequest) -> str:
    """Lines for a shell that reads a key, which so gets into no history, and starts the agent with it."""
    agent = _agent(request.build_absolute_uri(reverse("api-enrol")))
    return f'(umask 077; read -r key && echo "$key" > credential) &&\n{agent}'


def _agent(address: str) -> str:
    parts = urlsplit(address)
    link = f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}{LINK_PATH}"
    return f"tms-agent --url {link} --credential-file credential"


def _quote(body: str) -> str:
    """The body as a word of a shell, which fills in its variables."""
    body = body.replace("'", """'"'"'""")
    for variable in ("$SITE", "$(hostname)"):
        body = body.replace(variable, f"""'"{variable}"'""")
    return f"'{body}'"
