"""Checks of the commit: tests, review, known vulnerabilities."""

import json
import subprocess
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

from deploy.check.result import Denied, Failed, Skipped, Text
from deploy.check.target import CheckTarget

ROOT = Path(__file__).resolve().parent.parent.parent
PASSED_COMMIT = ROOT / "var" / "tests-passed"
"""Written by `make test`: the commit for which it last passed with a clean working tree."""
TEST_JOB_PREFIX = "test"
"""The workflow's name, which is the prefix of its jobs."""
NEEDED_PERMISSIONS = "checks: read and pull-requests: read"


def tests(target: CheckTarget) -> Text:
    """The check runs of the commit on GitHub; elsewhere, the record of `make test`."""
    commit = commit_of(target)
    if has_github_access(target):
        return github_checks(target, commit)
    if not PASSED_COMMIT.exists():
        raise Skipped(
            "`make test` has not passed here, and GITHUB_REPOSITORY is not set",
            "ここで make test が通っておらず、GITHUB_REPOSITORY も未設定",
        )
    passed = PASSED_COMMIT.read_text().strip()
    if passed != commit:
        raise Failed(
            f"`make test` passed for {passed[:9]}, but this is {commit[:9]}",
            f"make test が通ったのは {passed[:9]}、現在は {commit[:9]}",
        )
    return Text(f"`make test` passed for {commit[:9]}", f"{commit[:9]} で make test が成功")


def github_checks(target: CheckTarget, commit: str) -> Text:
    """The tests of this commit, or those of the pull request that has exactly its files: they ran before the merge."""
    runs = test_runs(target, commit) or of_the_pull_request(target, commit)
    bad = [
        run["name"] for run in runs if run["status"] == "completed" and run["conclusion"] not in ("success", "skipped")
    ]
    open_ = [run["name"] for run in runs if run["status"] != "completed"]
    if not runs:
        raise Failed(
            f"no test ran for {commit[:9]}, nor for a pull request with exactly its files",
            f"{commit[:9]} にも、内容が同じプルリクエストにも、テストの実行がない",
        )
    if bad or open_:
        raise Failed(f"failed: {bad}, unfinished: {open_}", f"失敗: {bad}、未完了: {open_}")
    return Text(f"{len(runs)} jobs passed for {commit[:9]}", f"{commit[:9]} の {len(runs)} ジョブが成功")


def test_runs(target: CheckTarget, commit: str) -> list[Mapping[str, Any]]:
    found = github(target, f"commits/{commit}/check-runs?per_page=100")["check_runs"]
    return [run for run in found if run["name"].startswith(TEST_JOB_PREFIX)]


def of_the_pull_request(target: CheckTarget, commit: str) -> list[Mapping[str, Any]]:
    """Squashed or merged: another commit, but the same files if the branch was up to date."""
    for pull in github(target, f"commits/{commit}/pulls"):
        head = pull["head"]["sha"]
        if tree_of(target, head) == tree_of(target, commit):
            return test_runs(target, head)
    return []


def tree_of(target: CheckTarget, commit: str) -> str:
    return str(github(target, f"commits/{commit}")["commit"]["tree"]["sha"])


def review(target: CheckTarget) -> Text:
    if not has_github_access(target):
        raise Skipped("needs GITHUB_REPOSITORY and GITHUB_TOKEN", "GITHUB_REPOSITORY と GITHUB_TOKEN が必要")
    commit = commit_of(target)
    pulls = github(target, f"commits/{commit}/pulls")
    for pull in pulls:
        reviews = github(target, f"pulls/{pull['number']}/reviews")
        if names := sorted({one["user"]["login"] for one in reviews if one["state"] == "APPROVED"}):
            return Text(
                f"{', '.join(names)} approved #{pull['number']}", f"{'、'.join(names)} が #{pull['number']} を承認"
            )
    details = ", ".join(f"#{pull['number']}" for pull in pulls) or "no pull request"
    raise Failed(f"nobody approved {commit[:9]} ({details})", f"{commit[:9]} が未承認 ({details})")


def vulnerabilities(target: CheckTarget) -> Text:
    """Advisories for the packages installed in production, and Bandit's findings in TMS."""
    process = subprocess.run(
        [str(ROOT / "deploy/pipeline/audit")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    details = " ".join((process.stdout + process.stderr).split())[-300:]
    if process.returncode == 75:
        raise Skipped(details, details)
    if process.returncode:
        raise Failed(details, details)
    return Text(details, f"既知の脆弱性なし ({details})")


def has_github_access(target: CheckTarget) -> bool:
    return bool(target.environment.get("GITHUB_REPOSITORY") and target.environment.get("GITHUB_TOKEN"))


def github(target: CheckTarget, path: str) -> Any:
    base = target.environment.get("GITHUB_API_URL", "https://api.github.com")
    headers = {"Authorization": f"Bearer {target.environment['GITHUB_TOKEN']}", "Accept": "application/vnd.github+json"}
    url = f"{base}/repos/{target.environment['GITHUB_REPOSITORY']}/{path}"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=15) as response:
            return json.load(response)
    except HTTPError as error:
        with error:
            if error.code in (401, 403, 404):  # GitHub hides what a token may not read
                raise Denied(
                    f"not allowed to read {path}: GitHub returned {error.code}; the job needs {NEEDED_PERMISSIONS}",
                    f"{path} の参照権限がない: GitHub の応答 {error.code}。ジョブに {NEEDED_PERMISSIONS} が必要",
                ) from None
            raise Skipped(f"GitHub returned {error.code}", f"GitHub の応答: {error.code}") from None
    except URLError as error:
        raise Skipped(f"GitHub does not respond: {error}", f"GitHub が応答しない: {error}") from None


def commit_of(target: CheckTarget) -> str:
    """Raises Skipped outside a repository: a release has none."""
    if given := target.environment.get("GITHUB_SHA"):
        return given
    process = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    if process.returncode:
        raise Skipped(
            "not a repository; set GITHUB_SHA to the commit", "リポジトリではない。GITHUB_SHA でコミットを指定"
        )
    return process.stdout.strip()
