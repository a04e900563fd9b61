"""`tms-agent enrol`: exchanges an enrolment token for the credential of this machine, and stores it."""

import contextlib
import http.client
import json
import os
import ssl
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from tms_agent.connection.certificates import rejection
from tms_agent.connection.dialer import PROBLEM_TYPE, agent_name
from tms_agent.connection.https import connection_to
from tms_agent.connection.link import LinkEnd
from tms_agent.connection.network import Network
from tms_agent.protocol import credential, json_text
from tms_agent.protocol.credential import PlainCredential
from tms_agent.protocol.errors import FrameError
from tms_agent.protocol.reader import Reader
from tms_agent.settings.errors import UsageError

PATH = "/api/v1/enrol"
ANSWER_BYTES = 64 * 1024
CONFIG = """\
# The agent of TMS. docs/agent.md of TMS describes every key.
url = {url}
credential_file = {file}
"""


SERIAL = """
[identity]
serial = {serial}
"""


class EnrolmentError(Exception):
    """Why there is no credential, and what to do."""


def enrol(url: str, network: Network, fields: Mapping[str, str], file: Path) -> PlainCredential:
    """Returns the credential, which is in `file` then. Raises EnrolmentError, and UsageError before it asks TMS.

    `url` is that of the link. The file is made first: a token can be used once, and its answer must not be lost.
    """
    with new_file(file) as handle:
        found = redeem(url, network, {name: value for name, value in fields.items() if value})
        os.write(handle, f"{found}\n".encode())
        os.fsync(handle)
    return found


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[int]:
    """A file that only this user can read. It is gone again if the block fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(f"{path} exists: {_owner_of(path)}; to enrol again, delete it first") from None
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; choose another place with --credential-file") from None
    try:
        yield handle
    except BaseException:
        path.unlink()
        raise
    finally:
        os.close(handle)


def redeem(url: str, network: Network, fields: Mapping[str, str]) -> PlainCredential:
    """Raises EnrolmentError."""
    host = urlsplit(url).hostname or ""
    headers = {"Content-Type": "application/json", "User-Agent": agent_name()}
    try:
        connection = connection_to(url, network)
        with contextlib.closing(connection):
            connection.request("POST", PATH, json.dumps(fields), headers)
            response = connection.getresponse()
            body = response.read(ANSWER_BYTES)
    except LinkEnd as error:
        raise EnrolmentError(str(error)) from None
    except (OSError, http.client.HTTPException) as error:
        raise EnrolmentError(_unreachable(error, host, network)) from None
    if response.status != HTTPStatus.CREATED:
        raise EnrolmentError(_refusal(response, body, host))
    return _credential_in(body, host)


def _credential_in(body: bytes, host: str) -> PlainCredential:
    try:
        found = credential.parse(Reader(json_text.decode(body)).string("credential"))
    except (ValueError, FrameError):
        found = None
    if found is None:
        raise EnrolmentError(f"{host} does not answer as TMS does; check --url")
    return found


def _refusal(response: http.client.HTTPResponse, body: bytes, host: str) -> str:
    if (response.getheader("Content-Type") or "").startswith(PROBLEM_TYPE):
        with contextlib.suppress(ValueError, FrameError):
            problem = Reader(json_text.decode(body))
            where = problem.string("where", "")
            return f"TMS refused: {problem.string('detail')[:200]}{where and f' ({where})'}"
    return f"{host} answered {response.status} {response.reason}; this is not an answer of TMS: check --url"


def _unreachable(error: Exception, host: str, network: Network) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(rejection(error, host, at=network.dates.now(), clock_error=None))
    return f"cannot reach {host}: {getattr(error, 'strerror', None) or repr(error)}"


def _owner_of(path: Path) -> str:
    with contextlib.suppress(OSError, ValueError):
        if found := credential.parse(path.read_text(encoding="ascii").strip()):
            return f"this machine is enrolled as {found.uid}"
    return "it may be the credential of this machine"


def configure(path: Path, url: str, file: Path, *, serial: str = "") -> str:
    """Write a configuration with which the agent starts, unless there is one. Returns how to go on."""
    # A string of JSON is one of TOML, too.
    text = CONFIG.format(url=json.dumps(url), file=json.dumps(str(file.absolute())))
    try:
        with path.open("x", encoding="utf-8") as config:
            config.write(text + (SERIAL.format(serial=json.dumps(serial)) if serial else ""))
    except FileExistsError:
        return f"{path} exists, and stays as it is; it needs url and credential_file = {str(file.absolute())!r}"
    except OSError as error:
        return f"{path}: {error.strerror}; start the agent with --url {url} --credential-file {file}"
    return f"{path} is written; start the agent with tms-agent, or as a service with tms-agent install"
