"""The commands that TMS itself knows. `tms.commands.catalogue` adds those that customers define."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from tms.accounts.permissions import Permission
from tms.commands.models import Danger

NO_ARGUMENTS: Mapping[str, Any] = {"type": "object", "additionalProperties": False}
MAX_RESULT_BYTES = 65_536
"""The largest result: one frame of the link."""
MAX_FILE_BYTES = 50_000_000
MAX_FILES = 5
"""Files of one command."""
CONFIGURE, UPDATE = "configure", "update"


class CommandSpec(NamedTuple):
    name: str
    label: str | Promise
    help: str | Promise = ""
    icon: str = "command"
    danger: Danger = Danger.NONE
    arguments: Mapping[str, Any] = NO_ARGUMENTS
    """JSON Schema of its arguments."""
    kinds: Sequence[str] = ()
    """Kinds of terminals that it is for; empty for all."""
    models: Sequence[str] = ()
    answer_within_s: float = 30.0
    max_result_bytes: int = MAX_RESULT_BYTES
    files: int = 0
    """How many files the terminal may upload."""
    file_types: Sequence[str] = ()
    """Their media types."""
    max_file_bytes: int = MAX_FILE_BYTES
    is_builtin: bool = True

    @property
    def is_dangerous(self) -> bool:
        """It disturbs customers: it needs a permission of its own, and a confirmation that says what it means."""
        return self.danger != Danger.NONE

    @property
    def permission(self) -> Permission:
        return Permission.SEND_DANGEROUS_COMMANDS if self.is_dangerous else Permission.SEND_COMMANDS

    def suits(self, kind: str, model: str) -> bool:
        return (not self.kinds or kind in self.kinds) and (not self.models or model in self.models)


CATALOG = {
    spec.name: spec
    for spec in (
        CommandSpec("ping", _("Ping"), _("Checks that the terminal responds.")),
        CommandSpec(
            "reboot",
            _("Reboot"),
            _("Restarts the terminal. It first announces when it will be back."),
            "rebooting",
            Danger.INTERRUPTS,
            {
                "type": "object",
                "properties": {
                    "delay_s": {
                        "type": "number",
                        "minimum": 0,
                        "maximum": 3600,
                        "title": "Delay (seconds)",
                        "x-title-ja": "遅延（秒）",
                    }
                },
                "additionalProperties": False,
            },
        ),
        CommandSpec(
            "collect_logs",
            _("Collect logs"),
            _("Fetches the latest lines of the terminal's log."),
            arguments={
                "type": "object",
                "properties": {
                    "lines": {"type": "integer", "minimum": 1, "maximum": 100, "title": "Lines", "x-title-ja": "行数"}
                },
                "additionalProperties": False,
            },
        ),
        CommandSpec(
            "logs",
            _("Upload logs"),
            _("Uploads the log files of the terminal."),
            answer_within_s=3600.0,
            files=MAX_FILES,
            file_types=("text/plain", "application/gzip", "application/zip"),
        ),
        CommandSpec(
            "screenshot",
            _("Take a screenshot"),
            _("Uploads a picture of what the terminal shows."),
            answer_within_s=600.0,
            files=1,
            file_types=("image/png", "image/jpeg", "image/webp"),
            max_file_bytes=10_000_000,
        ),
    )
}

CHANGES = {
    spec.name: spec
    for spec in (
        CommandSpec(CONFIGURE, _("Configuration"), answer_within_s=600.0, is_builtin=False),
        CommandSpec(UPDATE, _("Update"), danger=Danger.INTERRUPTS, answer_within_s=7_200.0, is_builtin=False),
    )
}
"""Changes of configuration and software, ordered by TMS alone: people neither send nor define commands of these names.
They leave as frames of their own (`tms.commands.frames`). Their arguments are references, never values or secrets:
`{"revision": 7, "version": 12}`, and `{"artifact": 12, "name": "kiosk-firmware", "version": "4.8.3"}`.
"""


def change_label(name: str, args: Mapping[str, Any]) -> str | Promise:
    """What one of `CHANGES` is called: *Configuration 7*, *Update kiosk-firmware 4.8.3*."""
    if name == CONFIGURE:
        parts = [args.get("version") or args.get("revision")]
    else:
        parts = [args.get("name"), args.get("version")]
    return format_lazy("{} {}", CHANGES[name].label, " ".join(str(part) for part in parts if part))
