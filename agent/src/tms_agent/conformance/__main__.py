"""`tms-conformance`: tests the client of a terminal."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from tms_agent.conformance.check import State
from tms_agent.conformance.process import starter
from tms_agent.conformance.results import catalogue, table, write_junit
from tms_agent.conformance.runner import Plan, UnknownCheck, run, select

PASSED, FAILED = 0, 1
MAX_PORT = 65_535

EPILOG = """
COMMAND starts the client, once or several times for each check, with {url}, {credential} and {folder} replaced;
they are in TMS_URL, TMS_CREDENTIAL and TMS_FOLDER, too. The folder is for what the client keeps. SIGTERM ends it.

Without COMMAND, start the client by hand, with the URL and the credential that are printed.
"""


def main(argv: Sequence[str] | None = None) -> int:
    options = parser()
    given = options.parse_args(argv)
    if given.list:
        print(catalogue(select([])))
        return PASSED
    try:
        results = asyncio.run(run(plan_of(given)))
    except UnknownCheck as error:
        options.error(f"--only {error}: no such check; --list prints them")
    except OSError as error:  # of the port, or of the command
        options.error(str(error))
    print(table(results))
    if given.junit:
        write_junit(results, given.junit)
    return FAILED if any(one.state is State.FAILED for one in results) else PASSED


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="tms-conformance",
        description="Plays TMS, and tests the client of a terminal.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    options.add_argument(
        "--listen",
        metavar="HOST:PORT",
        type=address,
        default="127.0.0.1:0",
        help="with --parallel, also the next ports",
    )
    options.add_argument(
        "--only", metavar="NAME", nargs="+", default=[], help="core, backfill, full, hostile, or names of checks"
    )
    options.add_argument("--parallel", metavar="N", type=positive, default=8, help="checks at the same time; default 8")
    options.add_argument(
        "--patience", metavar="S", type=float, default=20.0, help="seconds until an expected frame is missing"
    )
    options.add_argument("--junit", metavar="FILE", type=Path, help="write the results as JUnit XML")
    options.add_argument("--list", action="store_true", help="print the checks, and end")
    options.add_argument("command", metavar="COMMAND", nargs="*", help="starts the client")
    return options


def plan_of(given: argparse.Namespace) -> Plan:
    host, port = given.listen
    return Plan(
        select(given.only),
        starter(given.command) if given.command else None,
        host=host,
        port=port,
        parallel=given.parallel,
        patience_s=given.patience,
    )


def address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text}: expected HOST:PORT, as 127.0.0.1:9000")
    return host.strip("[]"), int(port)


def positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text}: expected a whole number from 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
