"""The commands a person can send. A terminal says in `capabilities` what it takes; it refuses the rest by itself."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class CommandSpec(NamedTuple):
    name: str
    label: str | Promise
    help: str | Promise
    icon: str = "command"
    is_dangerous: bool = False
    """It disturbs customers: it needs a permission of its own, and a confirmation that says what it means."""


CATALOG = {
    spec.name: spec
    for spec in (
        CommandSpec("ping", _("Ping"), _("Checks that the terminal responds.")),
        CommandSpec(
            "reboot",
            _("Reboot"),
            _("Restarts the terminal. It first announces when it will be back."),
            "rebooting",
            True,
        ),
        CommandSpec("collect_logs", _("Collect logs"), _("Fetches the latest lines of the terminal's log.")),
    )
}


def is_dangerous(name: str) -> bool:
    return name in CATALOG and CATALOG[name].is_dangerous
