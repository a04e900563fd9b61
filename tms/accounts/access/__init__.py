"""What a person may see and do. Every page, board and API operation decides through these functions.

A *permission* (`tms.accounts.permissions`) names one kind of action. A *scope* (`tms.accounts.scope`) is a part of the
fleet: everything, or regions, sites and groups. A person holds each permission for a scope, to which their grants and
those of their teams add up. Two relations between a row and a scope decide everything:

- A row is **seen** by a scope that overlaps it. People read what they see.
- A row is **covered** by a scope that holds all of it. A permission for the scope is one for the row.

| to …                                           | use                                              | answer       |
|------------------------------------------------|--------------------------------------------------|--------------|
| list what a person reads                       | `visible(rows, to=person)`                       | rows         |
| list what an owner, a device or a board reads  | `within(rows, scope)`                            | rows         |
| offer rows in a form, and keep chosen ones     | `choosable(rows, chosen, to=person)`             | rows         |
| list what a person may change                  | `permitted(rows, by=person, permission=…)`       | rows         |
| show or hide a button for a stored row         | `may(person, permission, row)`                   | yes or no    |
| show or hide a page, without a row             | `may(person, permission)`                        | yes or no    |
| act on a stored row                            | `demand(person, permission, row)`                | or Forbidden |
| judge an owner before a row exists             | `may_within(person, permission, scope)`          | yes or no    |
| create a row, or give it another owner         | `demand_within(person, permission, scope)`       | or Forbidden |
| the same, if one of several scopes suffices    | `demand_within_any(person, permission, scopes)`  | or Forbidden |
| give a role to a person                        | `may_grant(person, role, scope)`                 | yes or no    |
| act on an account, or with its rights          | `may_act_for(person, other)`                     | yes or no    |
| admit a person who is signed in                | `may_watch(person)`                              | yes or no    |
| compare two scopes                             | `covers(scope, other)`                           | yes or no    |

A view finds the row among the `visible` ones, so that a row out of sight answers 404, and then `demand`s the permission
for it, which answers 403. `scope_of`, `rights_of` and `Granted` (for templates) return what the questions above read:
where a person has a permission, all of their permissions, and whether they have each of them anywhere.

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
