"""The acts that may need a second person. Each is a kind (`kinds.py`), which counts it and says who may decide."""

from enum import StrEnum


class Act(StrEnum):
    """The values are stored in requests, and part of the REST API."""

    ALERTS = "alerts"
    """Resolve or snooze alerts."""
    INCIDENTS = "incidents"
    """The same for all alerts of incidents."""
    PLAN = "plan-maintenance"
    EXTEND = "extend-maintenance"
    RETIRE = "retire"
    MOVE = "move"
    """Terminals to another site."""
    CLOSE_SITE = "close-site"
    IMPORT = "import"
    """Also a bulk edit."""
    COMMAND = "command"
    JOB = "job"
    ROLLOUT = "rollout"
    ROLL_BACK = "roll_back"
    CONTINUE = "continue_rollout"
