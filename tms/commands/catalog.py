"""The commands a person can send. A terminal says in `capabilities` what it takes; it refuses the rest by itself."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class CommandSpec(NamedTuple):
    name: str
    label: str | Promise
    help: str | Promise


CATALOG = {
    spec.name: spec
    for spec in (
        CommandSpec("ping", _("Ping"), _("Asks for a sign of life.")),
        CommandSpec("reboot", _("Reboot"), _("Restarts the terminal; it says goodbye and when it will be back.")),
        CommandSpec("collect_logs", _("Collect logs"), _("Fetches the newest lines of its log.")),
    )
}
