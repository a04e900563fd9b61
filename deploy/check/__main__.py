"""`deploy/check.sh`: runs the checklist, and prints the status of each check, with the reason if it did not pass."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set

from deploy.check.aws import pages
from deploy.check.checklist import ACCEPTABLE, LISTS
from deploy.check.result import Check, CheckResult, CheckStatus, Section, Text, run_check
from deploy.check.target import CheckTarget

EXPECTED = Text("expected", "正しくは")
SUMMARIES = {
    CheckStatus.PASSED: Text("passed", "合格"),
    CheckStatus.FAILED: Text("failed", "不合格"),
    CheckStatus.SKIPPED: Text("not checked", "未確認"),
    CheckStatus.DENIED: Text("not allowed to read", "参照権限なし"),
    CheckStatus.ACCEPTED: Text("accepted", "承認のうえ続行"),
}


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    if options.when == "page":
        print(f"{pages.send_page(options.name)}: every recipient of critical alarms must get it within a minute.")
        return 0
    title, sections = LISTS[options.when]
    target = CheckTarget(
        url=getattr(options, "url", "").rstrip("/"),
        insecure=getattr(options, "insecure", False),
        slow_ms=getattr(options, "slow_ms", 500.0),
        requests=getattr(options, "requests", 300),
        alarms_before=alarms_before(getattr(options, "alarms_before", "none")),
        terminals_before=terminals_before(getattr(options, "terminals_before", "unknown")),
        accepted=accepted_reasons(options.accept),
    )
    gate = selected_keys(sections, options.gate)
    statuses: Counter[CheckStatus] = Counter()
    deciding: Counter[CheckStatus] = Counter()
    print(f"{title.in_(options.lang)} {target.url}".rstrip(), flush=True)
    for section in selected_sections(sections, options.only):
        counts = run_section(section, target, options.lang)
        statuses += counts
        if section.key in gate:
            deciding += counts
    print("\n" + ", ".join(f"{statuses[status]} {text.in_(options.lang)}" for status, text in SUMMARIES.items()))
    return 1 if deciding[CheckStatus.FAILED] or (options.strict and deciding[CheckStatus.SKIPPED]) else 0


def selected_sections(sections: Sequence[Section], only: str) -> Iterator[Section]:
    keys = selected_keys(sections, only)
    yield from (section for section in sections if section.key in keys)


def selected_keys(sections: Sequence[Section], names: str) -> Set[str]:
    """The sections listed in `names`, separated by commas; all if it is empty."""
    keys = {section.key for section in sections}
    given = {key for key in names.split(",") if key}
    if unknown := given - keys:
        sys.exit(f"check.sh: unknown section {', '.join(unknown)}; use one of {', '.join(sorted(keys))}")
    return given or keys


def alarms_before(given: str) -> frozenset[str] | None:
    return None if given == "unknown" else frozenset(given.split(",")) - {"", "none"}


def terminals_before(given: str) -> float | None:
    return None if given == "unknown" else float(given)


def accepted_reasons(given: Sequence[str]) -> Mapping[str, str]:
    """Check → the reason why its failure is accepted: from `vulnerabilities=GHSA-… has no fix yet (Sato)`."""
    reasons = {name.strip(): reason.strip() for name, _, reason in (one.partition("=") for one in given)}
    if wrong := [name for name, reason in reasons.items() if name not in ACCEPTABLE or not reason]:
        sys.exit(
            f"check.sh: --accept {wrong[0]}: expected is CHECK=REASON, with {' or '.join(sorted(ACCEPTABLE))} as CHECK"
        )
    return reasons


def run_section(section: Section, target: CheckTarget, language: str) -> Counter[CheckStatus]:
    print(f"\n{section.title.in_(language)}", flush=True)
    statuses: Counter[CheckStatus] = Counter()
    for check in section.checks:
        result = run_check(check, target)
        statuses[result.status] += 1
        for text in result_lines(check, result, language):
            print(text, flush=True)
    return statuses


def result_lines(check: Check, result: CheckResult, language: str) -> Iterator[str]:
    yield f"  [{result.status}] {check.title.in_(language)}: {result.text.in_(language)}"
    if result.status is not CheckStatus.PASSED:
        yield f"      {EXPECTED.in_(language)}: {check.expected.in_(language)}"


def parser() -> argparse.ArgumentParser:
    main_parser = argparse.ArgumentParser(prog="check.sh", description=__doc__)
    language = "ja" if os.environ.get("LANG", "").startswith("ja") else "en"
    lists = main_parser.add_subparsers(dest="when", required=True)
    before = lists.add_parser("before", help="in the environment that is to be deployed")
    after = lists.add_parser("after", help="through the load balancer or proxy, as people and terminals do")
    after.add_argument("url", help="https://tms.techcore-solutions.jp, or that of `make cluster`")
    after.add_argument("--insecure", action="store_true", help="accept an unverified certificate")
    after.add_argument("--slow-ms", type=float, default=500, help="limit for a page in milliseconds (500)")
    after.add_argument("--requests", type=int, default=300, help="requests of the load test (300)")
    after.add_argument(
        "--alarms-before",
        default="none",
        metavar="NAME,…",
        help="alarms that were active before and do not count, or unknown",
    )
    after.add_argument(
        "--terminals-before", default="unknown", metavar="N", help="terminals that were connected before, or unknown"
    )
    page = lists.add_parser("page", help="send a test message to everybody who gets critical alarms")
    page.add_argument("--name", default="tms", help="prefix of every name in AWS (tms)")
    for command in (before, after):
        command.add_argument("--lang", choices=("en", "ja"), default=language)
        command.add_argument("--only", default="", metavar="SECTION,…", help="run only these sections")
        command.add_argument("--gate", default="", metavar="SECTION,…", help="only these sections decide the result")
        command.add_argument(
            "--accept",
            action="append",
            default=[],
            metavar="CHECK=REASON",
            help=f"go on although CHECK ({' or '.join(sorted(ACCEPTABLE))}) fails; the reason is printed",
        )
        command.add_argument("--strict", action="store_true", help="count skipped checks as failed")
    return main_parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
