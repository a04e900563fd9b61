"""`python -m tools.tfkit setup`, and `python -m tools.tfkit check DIR [--variables FILE]`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.tfkit.check import check
from tools.tfkit.generated import SchemaError
from tools.tfkit.toolchain import SetupError, Toolchain, print_status


def parser() -> argparse.ArgumentParser:
    main_parser = argparse.ArgumentParser(prog="python -m tools.tfkit", description=__doc__)
    commands = main_parser.add_subparsers(required=True)
    setup = commands.add_parser("setup", help="install Terraform and the stub providers")
    setup.set_defaults(act=run_setup)
    check_parser = commands.add_parser("check", help="fmt, init, validate and test")
    check_parser.add_argument("directory", type=Path, metavar="DIR")
    check_parser.add_argument("--variables", metavar="FILE", help="values for the tests, relative to DIR")
    check_parser.set_defaults(act=run_check)
    return main_parser


def run_setup(options: argparse.Namespace) -> int:
    toolchain = Toolchain()
    for address, version in toolchain.setup().items():
        print(f"{address} {version}")
    print(f"terraform: {toolchain.terraform}")
    return 0


def run_check(options: argparse.Namespace) -> int:
    directory: Path = options.directory
    if not any(directory.glob("*.tf")):
        raise SetupError(f"{directory} holds no .tf files")
    toolchain = Toolchain()
    toolchain.setup()
    report = check(directory, toolchain, variables=options.variables)
    for problem in report.problems:
        print(problem)
    print_status(f"{directory}: {len(report.problems)} problems, {report.passed} tests passed, {report.failed} failed")
    return 0 if report.ok else 1


def main(arguments: Sequence[str]) -> int:
    """Run the kit. Returns 0 without problems, 1 if the configuration has problems, 2 if the kit failed."""
    options = parser().parse_args(arguments)
    try:
        return int(options.act(options))
    except (SetupError, SchemaError, ValueError) as error:
        print_status(str(error))
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
