"""Edits by people: each is checked, and permitted for the place, before it goes into the draft."""

from datetime import datetime
from typing import Any

from tms.accounts.models import User
from tms.configuration import versions
from tms.configuration.changes import changes_of
from tms.configuration.checking import known_variables, value_fault
from tms.configuration.models import ConfigurationKey, ConfigurationVersion
from tms.configuration.places import Place
from tms.configuration.values.schemas import ValueFault
from tms.configuration.versions import ValueEdit


class UnfitValue(ValueError):
    """The value does not fit its key."""

    code = "tms:bad-value"

    def __init__(self, fault: ValueFault) -> None:
        super().__init__(fault.problem)
        self.fault = fault


def set_value(key: ConfigurationKey, place: Place, value: Any, *, by: User, at: datetime) -> ConfigurationVersion:
    """Set a value in the draft; `REMOVED` takes it away. Raises Forbidden and UnfitValue."""
    place.demand_edit(by)
    if value is not versions.REMOVED and (fault := value_fault(key, value, known_variables())):
        raise UnfitValue(fault)
    return versions.edit([ValueEdit(key, place, value)], by=by, at=at)


def demand_changes(version: ConfigurationVersion, *, by: User) -> None:
    """Raises Forbidden unless the person may edit at every place that the version changes."""
    for place in {change.place for change in changes_of(version)}:
        place.demand_edit(by)
