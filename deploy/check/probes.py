"""Checks of pages, REST and static files, through the load balancer."""

import json
import re

from deploy.check.http_client import HttpResponse
from deploy.check.result import Denied, Failed, Skipped, Text
from deploy.check.target import CheckTarget

PAGES = {"/": 'id="incidents"', "/terminals/": 'id="results"', "/alerts/": 'id="results"', "/help/": "data-sign-in"}
"""Each page with content that only it has, and only if it rendered completely."""
STYLE = re.compile(r'href="([^"]+/css/[^"]+\.css)"')
MAX_AGE = re.compile(r"max-age=(\d+)")
LEAST_MAX_AGE_S = 86_400


def health(target: CheckTarget) -> Text:
    response = target.anonymous().get("/health/?strict")
    if response.status != 200:
        raise Failed(
            f"/health/?strict returned {response.status}: {response.body[:200]}",
            f"/health/?strict の応答が {response.status}: {response.body[:200]}",
        )
    node = json.loads(response.body)["node"]
    return Text(f"healthy (node {node})", f"正常 (ノード {node})")


def sign_in(target: CheckTarget) -> Text:
    username, password = (target.environment.get(f"CHECK_{name}", "") for name in ("USERNAME", "PASSWORD"))
    if not username or not password:
        if target.environment.get("CHECK_TOKEN"):
            raise Denied("no probe account, only a token", "確認用アカウントがなく、トークンのみ")
        raise Skipped(
            "no probe account; set CHECK_USERNAME and CHECK_PASSWORD",
            "確認用アカウントがない: CHECK_USERNAME と CHECK_PASSWORD を設定",
        )
    response = target.user.post("/sign-in/", {"username": username, "password": password})
    page = target.user.get("/") if response.status == 302 else response
    if page.status >= 500:
        raise Failed(f"sign-in returned {page.status}", f"サインインの応答が {page.status}")
    if response.status != 302 or page.status != 200:
        raise Denied(
            f"TMS works, but refuses the probe account ({page.status}): disabled, another password, a second factor?",
            f"TMS は動いているが、確認用アカウントを拒否 ({page.status})。無効化、パスワード変更、二要素認証を確認",
        )
    return Text(f"signed in as {username}", f"{username} でサインインできた")


def main_pages(target: CheckTarget) -> Text:
    must_be_signed_in(target)
    for path, content in PAGES.items():
        response = target.user.get(path)
        if response.status != 200 or content not in response.body:
            raise Failed(
                f"{path} returned {response.status}, without {content}",
                f"{path} の応答が {response.status}、{content} がない",
            )
    return Text(f"{', '.join(PAGES)} are complete", f"{'、'.join(PAGES)} はすべて正しく表示")


def api(target: CheckTarget) -> Text:
    """An unknown token is rejected as documented. The request goes all the way to the database."""
    body = json.dumps({"token": "of-a-deployment-check"})
    response = target.anonymous().request(
        "POST", "/api/v1/enrol", body=body, headers={"Content-Type": "application/json"}
    )
    kind = response.headers.get("Content-Type", "")
    if response.status != 403 or kind != "application/problem+json" or "tms:token-refused" not in response.body:
        raise Failed(
            f"/api/v1/enrol returned {response.status} ({kind}): {response.body[:120]}",
            f"/api/v1/enrol の応答が {response.status} ({kind}): {response.body[:120]}",
        )
    return Text(
        "/api/v1/enrol rejects an unknown token as documented", "/api/v1/enrol は不明なトークンを仕様どおり拒否"
    )


def api_with_token(target: CheckTarget) -> Text:
    """A service account reads a list: it never becomes inactive, and needs no second factor."""
    token = target.environment.get("CHECK_TOKEN", "")
    if not token:
        raise Denied("no token; set CHECK_TOKEN", "トークンがない: CHECK_TOKEN を設定")
    response = target.anonymous().get("/api/v1/terminals?limit=1", Authorization=f"Bearer {token}")
    if response.status in (401, 403):
        raise Denied(f"TMS refuses the token ({response.status})", f"トークンが拒否された ({response.status})")
    if response.status != 200:
        raise Failed(
            f"/api/v1/terminals returned {response.status}: {response.body[:120]}",
            f"/api/v1/terminals の応答が {response.status}: {response.body[:120]}",
        )
    return Text("/api/v1/terminals lists them", "/api/v1/terminals が一覧を返す")


def static_files(target: CheckTarget) -> Text:
    page = target.anonymous().get("/sign-in/")
    found = STYLE.search(page.body)
    if not found:
        raise Failed("no style sheet on the sign-in page", "サインイン画面にスタイルシートの指定がない")
    response = fetched(target, found[1])
    if response.status != 200:
        raise Failed(f"{found[1]} returned {response.status}", f"{found[1]} の応答が {response.status}")
    check_headers(response, found[1])
    return Text(
        f"{found[1]}, cached for {lifetime(response) // 86_400} days",
        f"{found[1]} (キャッシュ {lifetime(response) // 86_400} 日)",
    )


def fetched(target: CheckTarget, address: str) -> HttpResponse:
    """The response from the same host, or from the bucket that the page refers to."""
    if address.startswith("/"):
        return target.anonymous().get(address)
    bucket = CheckTarget(url=address, insecure=False)
    return bucket.anonymous().get("/" + address.split("/", 3)[3], Origin=target.user.origin)


def check_headers(response: HttpResponse, address: str) -> None:
    kind = response.headers.get("Content-Type", "")
    if not kind.startswith("text/css"):
        raise Failed(f"{address} has Content-Type {kind!r}", f"{address} の Content-Type が {kind!r}")
    if lifetime(response) < LEAST_MAX_AGE_S:
        found = response.headers.get("Cache-Control")
        raise Failed(f"{address} has Cache-Control {found!r}", f"{address} の Cache-Control が {found!r}")


def lifetime(response: HttpResponse) -> int:
    found = MAX_AGE.search(response.headers.get("Cache-Control", ""))
    return int(found[1]) if found else 0


def must_be_signed_in(target: CheckTarget) -> None:
    if not any(name.endswith("tms_session") for name in target.user.cookies):
        raise Denied("the probe account is not signed in", "確認用アカウントでサインインしていない")
