"""The systemd unit of the agent. `systemd-analyze security` rates it 3 or less."""

import shlex
from pathlib import Path
from typing import NamedTuple

NAME = "tms-agent.service"
FOLDER = Path("/etc/systemd/system")


class Program(NamedTuple):
    """What the unit runs."""

    executable: Path
    config: Path
    credential_file: Path
    command: str = "run"


def unit(program: Program) -> str:
    """The credential stays a file that only root can read; systemd passes it on."""
    start = [str(program.executable), program.command, "--config", str(program.config)]
    # systemd replaces the variable; %% and $$ are its ways to write % and $.
    command = shlex.join(start).replace("%", "%%").replace("$", "$$")
    command += " --credential-file ${CREDENTIALS_DIRECTORY}/credential"
    # A version under a supervisor is its child.
    notifies = "main" if program.command == "run" else "all"
    return TEMPLATE.format(
        command=command, notifies=notifies, credential=str(program.credential_file).replace("%", "%%")
    )


TEMPLATE = """\
[Unit]
Description=TMS agent: connects this machine to TMS as a terminal
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess={notifies}
ExecStart={command}
LoadCredential=credential:{credential}
WatchdogSec=120
# A terminal has nobody who would start it again, whatever the reason.
Restart=always
RestartSec=30
TimeoutStopSec=15

# A user that exists only while the agent runs, with these folders: /var/lib/tms-agent and /run/tms-agent.
DynamicUser=yes
StateDirectory=tms-agent
StateDirectoryMode=0700
RuntimeDirectory=tms-agent
RuntimeDirectoryPreserve=restart
UMask=0077

# What the agent, its commands and its probes may not do. To allow one of them more: systemctl edit tms-agent
CapabilityBoundingSet=
DevicePolicy=closed
LockPersonality=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources

[Install]
WantedBy=multi-user.target
"""
