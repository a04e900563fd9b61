"""What people and machines get to see, through the front."""

import json
import re

from deploy.check.http_client import Answer
from deploy.check.result import Text, Unseen, Wrong
from deploy.check.target import Place

PAGES = {"/": 'id="incidents"', "/terminals/": 'id="results"', "/alerts/": 'id="results"', "/help/": "data-sign-in"}
"""Each with something that only that page, whole, has."""
STYLE = re.compile(r'href="([^"]+/css/[^"]+\.css)"')
A_YEAR = re.compile(r"max-age=(\d+)")
KEPT_S = 86_400


def health(place: Place) -> Text:
    answer = place.stranger().get("/health/?strict")
    if answer.status != 200:
        raise Wrong(
            f"/health/?strict answers {answer.status}: {answer.body[:200]}",
            f"/health/?strict の応答が {answer.status}: {answer.body[:200]}",
        )
    told = json.loads(answer.body)
    if not told["well"]:
        raise Wrong(f"not well: {told['checks']}", f"異常あり: {told['checks']}")
    return Text(f"well, says {told['node']}", f"正常 (ノード {told['node']})")


def sign_in(place: Place) -> Text:
    username, password = (place.environment.get(f"CHECK_{name}", "") for name in ("USERNAME", "PASSWORD"))
    if not username or not password:
        raise Unseen(
            "no probe account is named: CHECK_USERNAME and CHECK_PASSWORD",
            "確認用アカウントがない: CHECK_USERNAME と CHECK_PASSWORD を設定",
        )
    answer = place.person.post("/sign-in/", {"username": username, "password": password})
    if answer.status != 302:
        raise Wrong(f"the probe account gets {answer.status}", f"確認用アカウントの応答が {answer.status}")
    page = place.person.get("/")
    if page.status != 200:
        raise Wrong(
            f"after signing in the overview answers {page.status}", f"サインイン後の概要画面の応答が {page.status}"
        )
    return Text(f"{username} is in", f"{username} でサインインできた")


def main_pages(place: Place) -> Text:
    must_be_signed_in(place)
    for path, content in PAGES.items():
        answer = place.person.get(path)
        if answer.status != 200 or content not in answer.body:
            raise Wrong(
                f"{path} answers {answer.status}, without {content}",
                f"{path} の応答が {answer.status}、{content} がない",
            )
    return Text(f"{', '.join(PAGES)} are whole", f"{'、'.join(PAGES)} はすべて正しく表示")


def api(place: Place) -> Text:
    """A token that nobody has is refused, in the way that is documented: the whole way to the database and back."""
    body = json.dumps({"token": "of-a-deployment-check"})
    answer = place.stranger().ask("POST", "/api/v1/enrol", body=body, headers={"Content-Type": "application/json"})
    kind = answer.headers.get("Content-Type", "")
    if answer.status != 403 or kind != "application/problem+json" or "tms:token-refused" not in answer.body:
        raise Wrong(
            f"/api/v1/enrol answers {answer.status} ({kind}): {answer.body[:120]}",
            f"/api/v1/enrol の応答が {answer.status} ({kind}): {answer.body[:120]}",
        )
    return Text(
        "/api/v1/enrol refuses an unknown token as documented", "/api/v1/enrol は不明なトークンを仕様どおり拒否"
    )


def static_files(place: Place) -> Text:
    page = place.stranger().get("/sign-in/")
    found = STYLE.search(page.body)
    if not found:
        raise Wrong("the sign-in page names no style sheet", "サインイン画面にスタイルシートの指定がない")
    answer = fetched(place, found[1])
    if answer.status != 200:
        raise Wrong(f"{found[1]} answers {answer.status}", f"{found[1]} の応答が {answer.status}")
    check_headers(answer, found[1])
    return Text(
        f"{found[1]}, to be kept {lifetime(answer) // 86_400} days",
        f"{found[1]} (キャッシュ {lifetime(answer) // 86_400} 日)",
    )


def fetched(place: Place, address: str) -> Answer:
    """From our own host, or from the bucket that the page names."""
    if address.startswith("/"):
        return place.stranger().get(address)
    elsewhere = Place(url=address, insecure=False)
    return elsewhere.stranger().get("/" + address.split("/", 3)[3], Origin=place.person.origin)


def check_headers(answer: Answer, address: str) -> None:
    kind = answer.headers.get("Content-Type", "")
    if not kind.startswith("text/css"):
        raise Wrong(f"{address} has the type {kind!r}", f"{address} の Content-Type が {kind!r}")
    if lifetime(answer) < KEPT_S:
        told = answer.headers.get("Cache-Control")
        raise Wrong(f"{address} has Cache-Control {told!r}", f"{address} の Cache-Control が {told!r}")


def lifetime(answer: Answer) -> int:
    found = A_YEAR.search(answer.headers.get("Cache-Control", ""))
    return int(found[1]) if found else 0


def must_be_signed_in(place: Place) -> None:
    if not any(name.endswith("tms_session") for name in place.person.cookies):
        raise Unseen("nobody is signed in", "サインインしていない")
