"""The owner of a row in REST: a region, a site or a group; everything if all are empty."""

from collections.abc import Mapping
from typing import Any, Self

from ninja import Schema
from pydantic import ConfigDict, model_validator

from tms.accounts.access import Person, visible
from tms.accounts.access.grant_scopes import EVERYTHING_KEY, GrantScope, parse
from tms.accounts.models import Owned
from tms.accounts.scope import Scope
from tms.fleet.models import Group, Region, Site
from tms.rest_base.form_errors import numbers
from tms.rest_base.problems import RequestFault, unreadable


class OwnerSchema(Schema):
    """Who reads and changes it: people whose scope overlaps this, and whose permission covers it.

    `region`, the code of a `site`, or the name of a `group`; all empty for everything.
    """

    model_config = ConfigDict(extra="forbid")

    region: str = ""
    site: str = ""
    group: str = ""

    @model_validator(mode="after")
    def _at_most_one(self) -> Self:
        if sum(map(bool, (self.region, self.site, self.group))) > 1:
            raise ValueError("set at most one of region, site and group")
        return self


def owner_fields(row: Owned) -> dict[str, str]:
    site, group = row.owner_site, row.owner_group
    return {
        "region": row.owner_region,
        "site": site.code if site else "",
        "group": group.name if group else "",
    }


def owner_name(owner: Mapping[str, Any], *, to: Person) -> str:
    """The key of the form's field. Raises ProblemError for what the person does not see."""
    if region := owner.get("region"):
        if not visible(Region.objects.filter(name=region), to=to).exists():
            raise unreadable(RequestFault("$.owner.region", f"unknown: {region}"))
        return f"region:{region}"
    if code := owner.get("site"):
        return f"site:{numbers(visible(Site.objects.all(), to=to), 'code', [code], '$.owner.site')[0]}"
    if name := owner.get("group"):
        return f"group:{numbers(visible(Group.objects.all(), to=to), 'name', [name], '$.owner.group')[0]}"
    return EVERYTHING_KEY


def scope_of_key(key: str) -> Scope:
    return (parse(key) or GrantScope()).value
