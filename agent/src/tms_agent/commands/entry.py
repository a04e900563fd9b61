"""Runs a command that is a Python entry point, in a process of its own: `python -m tms_agent.commands.entry NAME`.

The group `tms_agent.commands` has functions that take the arguments as a mapping and return a JSON value. They log to
standard error, and raise `tms_agent.device.source.CommandError` to reject a command.
"""

import os
import sys
from importlib.metadata import EntryPoint, entry_points

from tms_agent.device.source import CommandError
from tms_agent.protocol import json_text

GROUP = "tms_agent.commands"


def found() -> dict[str, EntryPoint]:
    return {each.name: each for each in entry_points(group=GROUP)}


def main(name: str) -> int:
    given = json_text.decode(sys.stdin.buffer.read())
    with os.fdopen(os.dup(1), "wb") as output:
        os.dup2(2, 1)  # what it prints is no result
        try:
            result = found()[name].load()(given)
        except CommandError as error:
            print(error, file=sys.stderr)
            return 1
        output.write(json_text.encode(result))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
