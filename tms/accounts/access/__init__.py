"""What a person may see and do. Every board, API operation and admin page decides through these functions.

A permission is held for a scope. `visible` and `within` are for reading; `may`, `demand` and `permitted` for acting.
`tms.accounts.permissions` lists the permissions. The one that an operator action needs, such as acknowledging, is in
its definition (`tms.alerts.actions.registry`).
"""

from tms.accounts.access.decisions import (
    Forbidden,
    Granted,
    demand,
    demand_within,
    demand_within_any,
    may,
    may_act_for,
    may_grant,
    may_open_admin,
    may_watch,
    may_within,
)
from tms.accounts.access.rights import ALL_RIGHTS, NO_RIGHTS, Person, Rights, rights_of, rights_of_people
from tms.accounts.access.rows import choosable, covers, permitted, scope_of, scope_path_of, visible, within

__all__ = [
    "ALL_RIGHTS",
    "NO_RIGHTS",
    "Forbidden",
    "Granted",
    "Person",
    "Rights",
    "choosable",
    "covers",
    "demand",
    "demand_within",
    "demand_within_any",
    "may",
    "may_act_for",
    "may_grant",
    "may_open_admin",
    "may_watch",
    "may_within",
    "permitted",
    "rights_of",
    "rights_of_people",
    "scope_of",
    "scope_path_of",
    "visible",
    "within",
]
