"""The commands a person can send. A terminal says in `capabilities` what it takes; it refuses the rest by itself."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class CommandSpec(NamedTuple):
    name: str
    label: str | Promise
    help: str | Promise
    is_dangerous: bool = False
    """It disturbs customers: it needs a permission of its own, and a confirmation that says what it means."""


CATALOG = {
    spec.name: spec
    for spec in (
        CommandSpec("ping", _("Ping"), _("Asks for a sign of life.")),
        CommandSpec("reboot", _("Reboot"), _("Restarts the terminal; it says goodbye and when it will be back."), True),
        CommandSpec("collect_logs", _("Collect logs"), _("Fetches the newest lines of its log.")),
    )
}


def is_dangerous(name: str) -> bool:
    return name in CATALOG and CATALOG[name].is_dangerous
