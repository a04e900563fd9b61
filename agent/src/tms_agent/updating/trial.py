"""What a version of the agent that is on trial tells its supervisor."""

import os
from pathlib import Path

ON_TRIAL = "AGENT_ON_TRIAL"
"""A variable in the environment of a version on trial: the file that it writes once it has reached TMS."""


def confirm() -> None:
    """Called by an agent that has reached TMS: if it is on trial, its supervisor keeps it."""
    if path := os.environ.get(ON_TRIAL):
        Path(path).touch()
