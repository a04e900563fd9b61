"""What `tms-agent` does besides `run`: enrol, doctor, status, install, supervise."""

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tms_agent import arguments, enrolment
from tms_agent.arguments import DONE, FAILED
from tms_agent.device.identity import Identity
from tms_agent.doctor.doctor import examine
from tms_agent.doctor.findings import Level
from tms_agent.service import install as service
from tms_agent.service import status as agent_status
from tms_agent.settings.errors import UsageError
from tms_agent.settings.management import versions_folder
from tms_agent.settings.settings import Settings, config_path
from tms_agent.updating.versions import Supervisor, Versions

KINDS = ("payment", "kiosk", "gate", "signage", "tablet", "computer")


def doctor(argv: Sequence[str]) -> int:
    """0 if nothing keeps the agent from its work, 1 if something does."""
    parser = arguments.new_parser("doctor", "Says what keeps this machine from TMS. Changes nothing.")
    arguments.add_settings(parser)
    given = parser.parse_args(argv)
    is_well = True
    for finding in examine(lambda: arguments.settings_of(given)):
        print(f"{finding.level.value:8} {finding.subject}: {finding.text}", flush=True)
        is_well = is_well and finding.level is not Level.FAULT
    return DONE if is_well else FAILED


def status(argv: Sequence[str]) -> int:
    """0 if the agent is connected, 1 if it is not."""
    parser = arguments.new_parser("status", "Says what the agent that runs on this machine does.")
    arguments.add_settings(parser)
    settings = arguments.settings_of(parser.parse_args(argv))
    socket = agent_status.socket_of(_spool_of(settings))
    try:
        report = agent_status.ask(socket)
    except PermissionError:
        raise UsageError(f"{socket}: this user may not ask; use that of the agent, or root") from None
    if report is None:
        print(f"no agent answers at {socket}")
        return FAILED
    print("\n".join(report.sentences))
    return DONE if report.is_connected else FAILED


def install(argv: Sequence[str]) -> int:
    parser = arguments.new_parser("install", "Makes the agent a service of systemd, which starts at each boot.")
    parser.add_argument("--print", action="store_true", help="only print the unit")
    given = parser.parse_args(argv)
    settings = arguments.settings_of(given)
    text = service.text_of(settings)
    if given.print or not service.can_install():
        print(text, end="")
        if not given.print:
            print("tms-agent: not installed: this needs root, and systemd", file=sys.stderr)
        return DONE if given.print else FAILED
    settings.credential()
    try:
        service.install(text)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"tms-agent: the service is not installed: {error}", file=sys.stderr)
        return FAILED
    return DONE


def supervise(argv: Sequence[str]) -> int:
    """Run the newest version of the agent that works."""
    parser = arguments.new_parser("supervise", "Runs the agent, or a newer version of it that TMS has sent.")
    arguments.add_settings(parser)
    settings = arguments.settings_of(parser.parse_args(argv))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    versions = Versions(versions_folder(_spool_of(settings).absolute().parent))
    return Supervisor(versions, ["run", *argv]).run()


def enrol(argv: Sequence[str]) -> int:
    given = _enrol_parser().parse_args(argv)
    os.umask(0o022)  # the user of a service has to read the configuration; the credential is not for it
    settings = arguments.settings_of(given, makes_file=True)
    config = config_path(given.config)
    file = settings.credential_file or config.parent / "credential"
    fields = {"token": given.token, "kind": given.kind, "site": given.site, **_identity(settings, given.serial)}
    try:
        found = enrolment.enrol(settings.url, settings.network, fields, file)
    except enrolment.EnrolmentError as error:
        print(f"tms-agent: not enrolled: {error}", file=sys.stderr)
        return FAILED
    print(f"enrolled as {found.uid}; the credential is in {file}")
    print(enrolment.configure(config, settings.url, file, serial=given.serial))
    return DONE


def _enrol_parser() -> arguments.Parser:
    parser = arguments.new_parser("enrol", "Exchanges an enrolment token for the credential of this machine.")
    arguments.add_settings(parser, only=("url", "credential_file"))
    parser.add_argument("--token", required=True, help="as TMS shows it")
    parser.add_argument("--kind", choices=KINDS, default="", help="what this machine is, if the token leaves it open")
    parser.add_argument("--site", metavar="CODE", default="", help="where it is, if the token is for a region")
    parser.add_argument("--serial", default="", help="its serial number, if the configuration has none")
    return parser


def _identity(settings: Settings, serial: str) -> Mapping[str, str]:
    """What is configured, and nothing else: hundreds of machines may have the same host name."""
    identity = Identity(settings.identity)
    asyncio.run(identity.run_commands())
    said = identity.read()
    known = {"serial": said.serial, "model": said.model}
    return {"serial": serial, **{name: text for name, text in known.items() if name in settings.identity}}


def _spool_of(settings: Settings) -> Path:
    return settings.spool or settings.spool_of(settings.credential().uid)


SUBCOMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "enrol": enrol,
    "doctor": doctor,
    "status": status,
    "install": install,
    "supervise": supervise,
}
