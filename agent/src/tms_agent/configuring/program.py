"""Applies configurations by a program of the machine."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tms_agent.configuring.configurator import AppliedConfiguration
from tms_agent.programs import run
from tms_agent.protocol import json_text
from tms_agent.requests import RequestRefused
from tms_agent.timeouts import timeout

WITHIN_S = 120.0
"""Much less than the trial lasts, so that the former configuration can still be applied in its time."""


@dataclass(frozen=True)
class ConfigurationProgram:
    command: Sequence[str]

    async def __call__(self, values: Mapping[str, Any]) -> AppliedConfiguration:
        """Raises RequestRefused."""
        try:
            async with timeout(WITHIN_S):
                output = await run(self.command, json_text.encode(values))
        except TimeoutError:
            raise RequestRefused(f"{self.command[0]} did not end within {WITHIN_S:.0f} s") from None
        return read(output)


def read(output: bytes) -> AppliedConfiguration:
    """What the program says of the keys, if it does. Raises RequestRefused."""
    if not output.strip():
        return AppliedConfiguration()
    try:
        given = json.loads(output)
        refused = {str(key): str(reason) for key, reason in given.get("refused", {}).items()}
        return AppliedConfiguration(refused, needs_restart=given.get("needs_restart") is True)
    except (ValueError, AttributeError, RecursionError):
        raise RequestRefused("the program wrote what is not JSON as described") from None
