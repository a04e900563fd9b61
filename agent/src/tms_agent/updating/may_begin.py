"""Asks a program of the owner whether the terminal may be updated now, or is in use."""

from collections.abc import Sequence

from tms_agent.programs import ProgramFailed, run
from tms_agent.requests import NotNow, RequestRefused
from tms_agent.timeouts import timeout

WITHIN_S = 30.0


async def ask(command: Sequence[str]) -> None:
    """Raises NotNow if it ends with another status than 0, and RequestRefused if it cannot be asked."""
    try:
        async with timeout(WITHIN_S):
            await run(command)
    except ProgramFailed as failure:
        raise NotNow(f"in use: {failure}") from None
    except TimeoutError:
        raise RequestRefused(f"{command[0]} did not end within {WITHIN_S:.0f} s") from None
