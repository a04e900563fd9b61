"""The output of the checklist, in both languages, and its exit code."""

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from deploy.check import __main__ as command
from deploy.check import code, probes
from deploy.check.checklist import AFTER, BEFORE, LISTS
from deploy.check.result import Check, CheckStatus, Denied, Failed, Section, Skipped, Text, run_check
from deploy.check.target import CheckTarget
from deploy.processes.tms_process import ROOT

OF_THE_OPERATORS = {
    "全テストがパス",
    "コードレビュー完了",
    "セキュリティ脆弱性チェック",
    "VPC/サブネット設定完了",
    "セキュリティグループ設定",
    "RDS起動",
    "RDS接続確認",
    "環境変数設定",
    "データベースマイグレーション",
    "静的ファイル配信確認",
    "CloudWatchアラーム設定",
    "ログ収集確認",
    "メトリクス送信確認",
    "ログイン機能動作",
    "主要画面表示",
    "API応答確認",
    "レスポンスタイム測定",
    "負荷テスト実施",
    "スケーリング動作確認",
    "SSL証明書適用",
    "WAF動作確認",
    "アクセス制限確認",
}
COMMIT = "388e11d0388e11d0388e11d0388e11d0388e11d0"
HEALTHY = Text("healthy", "正常")


def unhealthy(target: CheckTarget) -> Text:
    raise Failed("it is broken", "壊れている")


def not_seen(target: CheckTarget) -> Text:
    raise Skipped("needs a key", "鍵が必要")


def broken_check(target: CheckTarget) -> Text:
    raise ZeroDivisionError("division by zero")


def check_of(look: Any) -> Check:
    return Check(Text("A line", "項目"), look, Text("whole", "健全"))


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Any:
    def as_list(*looks: Any) -> None:
        section = Section("some", Text("Some", "一部"), [check_of(look) for look in looks])
        monkeypatch.setitem(LISTS, "before", (Text("Before", "前"), [section]))

    return as_list


def test_every_entry_of_the_operators_list_is_checked():
    returned = {each.title.ja for section in (*BEFORE, *AFTER) for each in section.checks}

    assert OF_THE_OPERATORS - returned == set()


def test_every_check_has_both_languages():
    texts = [text for section in (*BEFORE, *AFTER) for each in section.checks for text in (each.title, each.expected)]

    assert all(text.en.isascii() and not re.fullmatch(r"[a-z ]+", text.ja) for text in texts)


def test_a_failure_is_printed_with_its_reason_and_the_expected_value(listed, capsys):
    listed(lambda target: HEALTHY, unhealthy, not_seen)

    assert command.main(["before", "--lang", "en"]) == 1

    assert capsys.readouterr().out.splitlines()[2:] == [
        "Some",
        "  [x] A line: healthy",
        "  [ ] A line: it is broken",
        "      expected: whole",
        "  [-] A line: needs a key",
        "      expected: whole",
        "",
        "1 passed, 1 failed, 1 not checked, 0 not allowed to read, 0 accepted",
    ]


def test_the_same_in_japanese(listed, capsys):
    listed(lambda target: HEALTHY, unhealthy)

    command.main(["before", "--lang", "ja"])

    returned = capsys.readouterr().out
    assert "  [x] 項目: 正常\n  [ ] 項目: 壊れている\n      正しくは: 健全\n" in returned
    assert "1 合格, 1 不合格, 0 未確認" in returned


def not_allowed(target: CheckTarget) -> Text:
    raise Denied("not allowed to read", "参照権限がない")


def test_a_missing_permission_is_reported_and_decides_nothing(listed, capsys):
    listed(lambda target: HEALTHY, not_allowed)

    assert command.main(["before", "--strict", "--lang", "en"]) == 0
    assert "  [?] A line: not allowed to read\n" in capsys.readouterr().out


@pytest.mark.parametrize(("gate", "code_"), [("first", 0), ("second", 1), ("", 1)])
def test_only_the_sections_of_the_gate_decide_and_all_are_printed(gate, code_, monkeypatch, capsys):
    sections = [
        Section(key, Text(key, key), [check_of(look)]) for key, look in (("first", healthy), ("second", unhealthy))
    ]
    monkeypatch.setitem(LISTS, "before", (Text("Before", "前"), sections))

    assert command.main(["before", "--gate", gate, "--lang", "en"]) == code_
    assert "  [ ] A line: it is broken" in capsys.readouterr().out


def healthy(target: CheckTarget) -> Text:
    return HEALTHY


@pytest.mark.parametrize(("options", "code_"), [([], 0), (["--strict"], 1)])
def test_a_skipped_check_is_a_failure_only_with_strict(options, code_, listed):
    listed(lambda target: HEALTHY, not_seen)

    assert command.main(["before", *options]) == code_


def test_a_check_with_an_internal_error_does_not_pass():
    found = run_check(check_of(broken_check), CheckTarget())

    assert found.status is CheckStatus.FAILED
    assert found.text.en == "ZeroDivisionError: division by zero"


def vulnerabilities(target: CheckTarget) -> Text:
    raise Failed("GHSA-1 in a package", "パッケージに GHSA-1")


def test_a_person_may_accept_an_advisory_with_a_reason_which_is_printed(listed, capsys):
    listed(vulnerabilities)

    assert command.main(["before", "--lang", "en"]) == 1
    assert command.main(["before", "--lang", "en", "--accept", "vulnerabilities=no fix yet (Sato)"]) == 0

    assert "  [!] A line: GHSA-1 in a package; no fix yet (Sato)\n" in capsys.readouterr().out


@pytest.mark.parametrize("accepted", ["tests=in a hurry", "vulnerabilities=", "vulnerabilities"])
def test_only_certain_checks_may_be_accepted_and_only_with_a_reason(accepted):
    with pytest.raises(SystemExit, match="expected is CHECK=REASON, with review or vulnerabilities as CHECK"):
        command.main(["before", "--accept", accepted])


class Tms(BaseHTTPRequestHandler):
    """Answers to the form of a sign-in, to the overview, and to a list of the API."""

    posted, overview, api = 302, 200, 200

    def do_GET(self) -> None:
        self._answer(self.api if self.path.startswith("/api/") else self.overview if self.path == "/" else 200)

    def do_POST(self) -> None:
        self._answer(self.posted)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def tms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Tms)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()

    def answering(**answers: int) -> CheckTarget:
        for name, status in answers.items():
            monkeypatch.setattr(Tms, name, status)
        account = {"CHECK_USERNAME": "check@example.com", "CHECK_PASSWORD": "secret", "CHECK_TOKEN": "tms_1"}
        return CheckTarget(url=f"http://127.0.0.1:{server.server_port}", environment=account)

    yield answering
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("posted", "overview", "status"),
    [
        (302, 200, CheckStatus.PASSED),
        (200, 200, CheckStatus.DENIED),  # a wrong password, or an account that is disabled: the form again
        (403, 200, CheckStatus.DENIED),
        (429, 200, CheckStatus.DENIED),  # too many attempts
        (302, 302, CheckStatus.DENIED),  # on to a second factor
        (500, 200, CheckStatus.FAILED),
        (302, 500, CheckStatus.FAILED),
    ],
)
def test_an_account_that_is_refused_rolls_no_release_back(posted, overview, status, tms):
    assert run_check(check_of(probes.sign_in), tms(posted=posted, overview=overview)).status is status


@pytest.mark.parametrize(
    ("answer", "status"), [(200, CheckStatus.PASSED), (401, CheckStatus.DENIED), (500, CheckStatus.FAILED)]
)
def test_a_token_reads_a_list(answer, status, tms):
    assert run_check(check_of(probes.api_with_token), tms(api=answer)).status is status


def test_an_unknown_section_is_reported():
    with pytest.raises(SystemExit, match="unknown section nowhere; use one of application, code"):
        command.main(["before", "--only", "nowhere"])


# The code, according to GitHub and `make test`


class GitHub(BaseHTTPRequestHandler):
    answers: dict[str, Any] = {}
    refuses = 404

    def do_GET(self) -> None:
        body = json.dumps(self.answers.get(self.path)).encode()
        self.send_response(200 if self.path in self.answers else self.refuses)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def github() -> Iterator[CheckTarget]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), GitHub)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield CheckTarget(
        environment={
            "GITHUB_API_URL": f"http://127.0.0.1:{server.server_port}",
            "GITHUB_REPOSITORY": "techcore/tms",
            "GITHUB_TOKEN": "token",
            "GITHUB_SHA": COMMIT,
        }
    )
    server.shutdown()
    thread.join()
    server.server_close()


def run(name: str, conclusion: str | None) -> dict[str, Any]:
    return {"name": name, "status": "completed" if conclusion else "in_progress", "conclusion": conclusion}


RUNS = [
    ([run("test / test suite", "success"), run("deploy", None)], CheckStatus.PASSED, "1 jobs passed"),
    ([run("test suite", "success"), run("test image", "failure")], CheckStatus.FAILED, "failed: ['test image']"),
    ([run("test suite", None)], CheckStatus.FAILED, "unfinished: ['test suite']"),
    ([], CheckStatus.FAILED, "no test ran"),
]


@pytest.mark.parametrize(("runs", "status", "returned"), RUNS)
def test_the_tests_of_a_commit_are_those_on_github(runs, status, returned, github):
    commit = f"/repos/techcore/tms/commits/{COMMIT}"
    GitHub.answers = {f"{commit}/check-runs?per_page=100": {"check_runs": runs}, f"{commit}/pulls": []}

    found = run_check(check_of(code.tests), github)

    assert found.status is status
    assert returned in found.text.en


@pytest.mark.parametrize(("tree", "status"), [("a-tree", CheckStatus.PASSED), ("another", CheckStatus.FAILED)])
def test_the_tests_of_a_pull_request_count_if_it_has_the_same_files(tree, status, github):
    ran = [run("test suite", "success")]
    GitHub.answers = {
        f"/repos/techcore/tms/commits/{COMMIT}/check-runs?per_page=100": {"check_runs": [run("deploy", None)]},
        f"/repos/techcore/tms/commits/{COMMIT}/pulls": [{"number": 7, "head": {"sha": "abc"}}],
        f"/repos/techcore/tms/commits/{COMMIT}": {"commit": {"tree": {"sha": "a-tree"}}},
        "/repos/techcore/tms/commits/abc": {"commit": {"tree": {"sha": tree}}},
        "/repos/techcore/tms/commits/abc/check-runs?per_page=100": {"check_runs": ran},
    }

    assert run_check(check_of(code.tests), github).status is status


@pytest.mark.parametrize("look", [code.tests, code.review], ids=["tests", "review"])
@pytest.mark.parametrize("status", [403, 404])
def test_missing_permission_on_github_is_no_statement_about_the_code(status, look, github):
    GitHub.answers, GitHub.refuses = {}, status

    found = run_check(check_of(look), github)

    assert found.status is CheckStatus.DENIED
    assert "the job needs checks: read and pull-requests: read" in found.text.en


@pytest.mark.parametrize(("state", "status"), [("APPROVED", CheckStatus.PASSED), ("COMMENTED", CheckStatus.FAILED)])
def test_a_review_is_an_approval_by_another_person(state, status, github):
    GitHub.answers = {
        f"/repos/techcore/tms/commits/{COMMIT}/pulls": [{"number": 7}],
        "/repos/techcore/tms/pulls/7/reviews": [{"state": state, "user": {"login": "sato"}}],
    }

    assert run_check(check_of(code.review), github).status is status


def test_elsewhere_the_tests_are_those_of_make_test(monkeypatch, tmp_path):
    head = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=ROOT, text=True)
    monkeypatch.setattr(code, "PASSED_COMMIT", tmp_path / "tests-passed")

    before = run_check(check_of(code.tests), CheckTarget(environment={}))
    (tmp_path / "tests-passed").write_text(head)
    after = run_check(check_of(code.tests), CheckTarget(environment={}))
    (tmp_path / "tests-passed").write_text(COMMIT)
    later = run_check(check_of(code.tests), CheckTarget(environment={}))

    assert [before.status, after.status, later.status] == [CheckStatus.SKIPPED, CheckStatus.PASSED, CheckStatus.FAILED]
