"""The REST API, version 1: what each part of TMS offers, put together."""

from collections.abc import Mapping

from tms.alerts import api as alert_api
from tms.alerts.actions import api as action_api
from tms.alerts.actions import incident_api as incident_action_api
from tms.alerts.correlation import api as correlation_api
from tms.alerts.correlation.regrouping import api as regrouping_api
from tms.alerts.correlation.settings import api as correlation_settings
from tms.alerts.lifecycle import Conflict
from tms.alerts.maintenance import api as maintenance_api
from tms.alerts.maintenance.services import NotActive
from tms.alerts.rule_editing import api as rule_editing_api
from tms.alerts.rule_editing.services import OutOfDate
from tms.alerts.statistics import api as statistic_api
from tms.approvals import api as approval_api
from tms.approvals.clearance import NotAgreed
from tms.artifacts import api as artifact_api
from tms.artifacts import key_api as signing_key_api
from tms.artifacts.uploads import CannotAdd
from tms.availability import api as availability_api
from tms.commands import api as command_api
from tms.commands.definitions import TooManyDefinitions
from tms.configuration import api as configuration_api
from tms.configuration.keys import KeyInUse
from tms.configuration.versions import NoDraft, NothingChanged
from tms.files import api as file_api
from tms.fleet import api as fleet_api
from tms.fleet.credentials import api as key_api
from tms.fleet.credentials.services import Retired
from tms.fleet.devices import api as device_api
from tms.fleet.devices import unexpected_api
from tms.fleet.devices.placements import AlreadyPlaced, NoDevice
from tms.fleet.devices.undo import CannotUndo
from tms.fleet.devices.unexpected import AlreadyDecided
from tms.fleet.enrolment import api as enrolment_api
from tms.fleet.groups import api as group_api
from tms.fleet.groups.dynamic import IsScope, TooManyDynamicGroups
from tms.fleet.groups.services import GroupInUse, MembersByQuery
from tms.fleet.identity import api as identity_api
from tms.fleet.label_editing import api as tag_api
from tms.fleet.label_editing.catalogue import NamedByGroups
from tms.fleet.labels import api as label_api
from tms.fleet.labels.attributes import TooManyAttributes
from tms.fleet.presence import api as presence_api
from tms.fleet.regions import api as region_api
from tms.fleet.regions.services import RegionInUse
from tms.fleet.saved_views import api as view_api
from tms.fleet.saved_views.services import TooManyViews
from tms.fleet.sites import api as site_api
from tms.fleet.sites import hours_api
from tms.fleet.terminals import api as terminal_api
from tms.fleet.terminals.lifecycle_changes import NotPossible
from tms.fleet.terminals.services import Cycle, HasHistory
from tms.inspections import api as inspection_api
from tms.inspections.services import AlreadyInspected, NotOnRound, RoundClosed
from tms.jobs import api as job_api
from tms.jobs.services import JobOver
from tms.notifications.deliveries import api as delivery_api
from tms.notifications.destinations import api as destination_api
from tms.notifications.policies import api as policy_api
from tms.notifications.policies.preview import api as preview_api
from tms.notifications.rotations import api as rotation_api
from tms.ops import audit_api, provider_api
from tms.replay import api as replay_api
from tms.replay.slots import Busy
from tms.rest_base.api import Api
from tms.rollouts import api as rollout_api
from tms.rollouts.services import RolloutOver
from tms.search import api as search_api
from tms.shifts import api as shift_api
from tms.telemetry import api as telemetry_api
from tms.transfer.edits import api as edit_api

OF_FLEET = (
    edit_api,  # first: `edits` is no UID
    *(fleet_api, region_api, site_api, hours_api, terminal_api, group_api, label_api, tag_api),
    *(device_api, unexpected_api, key_api, enrolment_api, identity_api, presence_api),
    *(telemetry_api, command_api, file_api, job_api, configuration_api, rollout_api, view_api),
)
OF_SOFTWARE = (artifact_api, signing_key_api)
OF_ALERTS = (
    alert_api,
    action_api,
    statistic_api,
    correlation_api,
    incident_action_api,
    correlation_settings,
    regrouping_api,
    rule_editing_api,
    maintenance_api,
)
OF_NOTIFICATIONS = (destination_api, policy_api, preview_api, rotation_api, delivery_api)
OF_HISTORY = (shift_api, availability_api, inspection_api, replay_api)
OF_ACCESS = (audit_api, provider_api)
PARTS = (
    *(*OF_FLEET, *OF_SOFTWARE, *OF_ALERTS, approval_api, *OF_HISTORY),
    *(*OF_NOTIFICATIONS, *OF_ACCESS, search_api),
)
REFUSALS: Mapping[type[Exception], int] = {
    Conflict: 409,
    NotActive: 409,
    OutOfDate: 412,
    **dict.fromkeys((AlreadyDecided, AlreadyPlaced, Cycle, GroupInUse, HasHistory, NoDevice, NotPossible), 409),
    **dict.fromkeys((CannotUndo, RegionInUse, Retired), 409),
    **dict.fromkeys((IsScope, MembersByQuery, NamedByGroups, TooManyAttributes, TooManyDynamicGroups), 409),
    **dict.fromkeys((AlreadyInspected, NotOnRound, RoundClosed), 409),
    **dict.fromkeys((KeyInUse, NoDraft, NothingChanged), 409),
    **dict.fromkeys((TooManyDefinitions, TooManyViews, JobOver, CannotAdd), 409),
    NotAgreed: 409,
    RolloutOver: 409,
    Busy: 503,
}
api = Api(
    dict.fromkeys(part.router for part in PARTS),
    REFUSALS,
    title="TMS",
    version="1",
    description="Terminals, alerts, rules, maintenance and notifications of a TMS. "
    "Every request carries an API token that acts as a person. Errors are problem documents (RFC 9457).",
    urls_namespace="v1",
)
