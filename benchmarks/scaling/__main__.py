"""`python -m benchmarks.scaling`: what TMS needs for 50,000 to 10 million terminals, and what breaks first.

Computed from the stored runs in benchmarks/results, and from assumptions. Prints the tables; `--docs` writes them into
docs/scaling.md.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.output.markers import fill
from benchmarks.scaling.tables import background, tables

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--docs", action="store_true", help="write the tables into docs/scaling.md")
    parser.add_argument("--page", type=Path, default=PAGE, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.docs:
        options.page.write_text(with_tables(options.page.read_text()))
        return
    for name, text in {**tables(), **background()}.items():
        print(f"# {name}\n\n{text}\n")


def with_tables(page: str) -> str:
    """`page` with the tables of today between their markers."""
    for name, text in tables().items():
        page = fill(
            page, f"<!-- {name}: written by `python -m benchmarks.scaling --docs` -->", f"<!-- end of {name} -->", text
        )
    return page


if __name__ == "__main__":
    main()
