"""`deploy/check.sh`: the list, each line ticked, or crossed with the reason and with what would be right."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence, Set

from deploy.check.checklist import LISTS
from deploy.check.result import Line, Mark, Outcome, Section, Text, outcome
from deploy.check.target import Place

RIGHT = Text("right would be", "正しくは")
SUMS = {
    Mark.PASSED: Text("passed", "合格"),
    Mark.FAILED: Text("failed", "不合格"),
    Mark.UNSEEN: Text("could not be seen from here", "ここからは確認できず"),
    Mark.DENIED: Text("not allowed to read", "参照権限なし"),
}


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    title, sections = LISTS[options.when]
    place = Place(
        url=getattr(options, "url", "").rstrip("/"),
        insecure=getattr(options, "insecure", False),
        slow_ms=getattr(options, "slow_ms", 500.0),
        requests=getattr(options, "requests", 300),
        alarms_before=alarms_before(getattr(options, "alarms_before", "none")),
    )
    gate = chosen(sections, options.gate)
    marks: Counter[Mark] = Counter()
    deciding: Counter[Mark] = Counter()
    print(f"{title.in_(options.lang)} {place.url}".rstrip(), flush=True)
    for section in wanted(sections, options.only):
        found = ticked(section, place, options.lang)
        marks += found
        if section.key in gate:
            deciding += found
    print("\n" + ", ".join(f"{marks[mark]} {text.in_(options.lang)}" for mark, text in SUMS.items()))
    return 1 if deciding[Mark.FAILED] or (options.strict and deciding[Mark.UNSEEN]) else 0


def wanted(sections: Sequence[Section], only: str) -> Iterator[Section]:
    keys = chosen(sections, only)
    yield from (section for section in sections if section.key in keys)


def chosen(sections: Sequence[Section], names: str) -> Set[str]:
    """The sections that `names` says, all of them when it says none."""
    keys = {section.key for section in sections}
    said = {key for key in names.split(",") if key}
    if strange := said - keys:
        sys.exit(f"check.sh: there is no section {', '.join(strange)}; right is one of {', '.join(sorted(keys))}")
    return said or keys


def alarms_before(said: str) -> frozenset[str] | None:
    return None if said == "unknown" else frozenset(said.split(",")) - {"", "none"}


def ticked(section: Section, place: Place, language: str) -> Counter[Mark]:
    print(f"\n{section.title.in_(language)}", flush=True)
    marks: Counter[Mark] = Counter()
    for line in section.lines:
        found = outcome(line, place)
        marks[found.mark] += 1
        for text in told(line, found, language):
            print(text, flush=True)
    return marks


def told(line: Line, found: Outcome, language: str) -> Iterator[str]:
    yield f"  [{found.mark}] {line.title.in_(language)}: {found.found.in_(language)}"
    if found.mark is not Mark.PASSED:
        yield f"      {RIGHT.in_(language)}: {line.right.in_(language)}"


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="check.sh", description=__doc__)
    language = "ja" if os.environ.get("LANG", "").startswith("ja") else "en"
    lists = whole.add_subparsers(dest="when", required=True)
    before = lists.add_parser("before", help="with the environment of what is to be deployed")
    after = lists.add_parser("after", help="through the front, as people and terminals come")
    after.add_argument("url", help="https://tms.techcore-solutions.jp, or that of `make cluster`")
    after.add_argument("--insecure", action="store_true", help="allow a certificate that nobody vouches for")
    after.add_argument("--slow-ms", type=float, default=500, help="what a page may take (500)")
    after.add_argument("--requests", type=int, default=300, help="of the short load (300)")
    after.add_argument(
        "--alarms-before", default="none", metavar="NAME,…", help="alarms that rang before and do not count, or unknown"
    )
    for one in (before, after):
        one.add_argument("--lang", choices=("en", "ja"), default=language)
        one.add_argument("--only", default="", metavar="SECTION,…", help="some of the sections")
        one.add_argument("--gate", default="", metavar="SECTION,…", help="only these decide; all are printed")
        one.add_argument("--strict", action="store_true", help="what cannot be seen counts as failed")
    return whole


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
