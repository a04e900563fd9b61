"""What is known of the commit: whether its tests passed, who reviewed it, and whether what it stands on is safe."""

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

from deploy.check.result import Denied, Text, Unseen, Wrong
from deploy.check.target import Place

ROOT = Path(__file__).resolve().parent.parent.parent
PASSED = ROOT / "var" / "tests-passed"
"""The commit for which `make test` last passed, with nothing uncommitted; `make test` writes it."""
TESTS = "test"
"""The workflow's name, with which its jobs begin."""
NEEDS = "checks: read and pull-requests: read"


def tests(place: Place) -> Text:
    """On GitHub, what the checks of the commit say; elsewhere, what `make test` left."""
    commit = commit_of(place)
    if has_github(place):
        return checks_of(place, commit)
    if not PASSED.exists():
        raise Unseen(
            "`make test` has not passed here, and no GitHub was named",
            "ここで make test が通っておらず、GitHub の指定もない",
        )
    passed = PASSED.read_text().strip()
    if passed != commit:
        raise Wrong(
            f"`make test` passed for {passed[:9]}, this is {commit[:9]}",
            f"make test が通ったのは {passed[:9]}、現在は {commit[:9]}",
        )
    return Text(f"`make test` passed for {commit[:9]}", f"{commit[:9]} で make test が成功")


def checks_of(place: Place, commit: str) -> Text:
    runs = [
        run
        for run in github(place, f"commits/{commit}/check-runs?per_page=100")["check_runs"]
        if run["name"].startswith(TESTS)
    ]
    bad = [
        run["name"] for run in runs if run["status"] == "completed" and run["conclusion"] not in ("success", "skipped")
    ]
    open_ = [run["name"] for run in runs if run["status"] != "completed"]
    if not runs:
        raise Wrong(f"no test ran for {commit[:9]}", f"{commit[:9]} のテストが実行されていない")
    if bad or open_:
        raise Wrong(f"failed: {bad}, not ended: {open_}", f"失敗: {bad}、未完了: {open_}")
    return Text(f"{len(runs)} jobs passed for {commit[:9]}", f"{commit[:9]} の {len(runs)} ジョブが成功")


def review(place: Place) -> Text:
    if not has_github(place):
        raise Unseen("needs GITHUB_REPOSITORY and GITHUB_TOKEN", "GITHUB_REPOSITORY と GITHUB_TOKEN が必要")
    commit = commit_of(place)
    pulls = github(place, f"commits/{commit}/pulls")
    for pull in pulls:
        reviews = github(place, f"pulls/{pull['number']}/reviews")
        if names := sorted({one["user"]["login"] for one in reviews if one["state"] == "APPROVED"}):
            return Text(
                f"{', '.join(names)} approved #{pull['number']}", f"{'、'.join(names)} が #{pull['number']} を承認"
            )
    told = ", ".join(f"#{pull['number']}" for pull in pulls) or "no pull request"
    raise Wrong(f"nobody approved {commit[:9]} ({told})", f"{commit[:9]} が未承認 ({told})")


def vulnerabilities(place: Place) -> Text:
    """Of all that is installed in production, as advisories know it; and of our own code, as Bandit sees it."""
    done = subprocess.run(
        [str(ROOT / "deploy/pipeline/audit")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    told = " ".join((done.stdout + done.stderr).split())[-300:]
    if done.returncode == 75:
        raise Unseen(told, told)
    if done.returncode:
        raise Wrong(told, told)
    return Text(told, f"既知の脆弱性なし ({told})")


def has_github(place: Place) -> bool:
    return bool(place.environment.get("GITHUB_REPOSITORY") and place.environment.get("GITHUB_TOKEN"))


def github(place: Place, path: str) -> Any:
    base = place.environment.get("GITHUB_API_URL", "https://api.github.com")
    headers = {"Authorization": f"Bearer {place.environment['GITHUB_TOKEN']}", "Accept": "application/vnd.github+json"}
    url = f"{base}/repos/{place.environment['GITHUB_REPOSITORY']}/{path}"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=15) as answer:
            return json.load(answer)
    except HTTPError as error:
        with error:
            if error.code in (401, 403, 404):  # GitHub hides what a token may not read
                raise Denied(
                    f"not allowed to read {path}: GitHub answers {error.code}; the job needs {NEEDS}",
                    f"{path} の参照権限がない: GitHub の応答 {error.code}。ジョブに {NEEDS} が必要",
                ) from None
            raise Unseen(f"GitHub answers {error.code}", f"GitHub の応答: {error.code}") from None
    except URLError as error:
        raise Unseen(f"GitHub does not answer: {error}", f"GitHub が応答しない: {error}") from None


def commit_of(place: Place) -> str:
    """Raises Unseen where there is no repository: a release has none."""
    if given := place.environment.get("GITHUB_SHA"):
        return given
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unseen(
            "this is no repository; name the commit in GITHUB_SHA", "リポジトリではない。GITHUB_SHA でコミットを指定"
        )
    return done.stdout.strip()
