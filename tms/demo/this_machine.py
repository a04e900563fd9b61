"""`python -m tms.demo.this_machine`: the real agent for the computer that TMS runs on."""

import argparse
import os
import sys
from pathlib import Path

from tms.demo import seed_file
from tms_agent.__main__ import main as agent


def main() -> int:
    parser = argparse.ArgumentParser(prog="tms.demo.this_machine", description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--fleet", required=True, type=Path)
    parser.add_argument("--spool", required=True)
    options = parser.parse_args()
    # not on the command line, which every user of this machine can read
    os.environ["TMS_AGENT_CREDENTIAL"] = seed_file.read(options.fleet).this_machine
    return agent(["--url", options.url, "--spool", options.spool])


if __name__ == "__main__":
    sys.exit(main())
