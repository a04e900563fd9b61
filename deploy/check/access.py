"""What must not be had from outside, and how the door is locked."""

from datetime import UTC, datetime

from cryptography import x509

from deploy.check.http_client import Visitor, handshake
from deploy.check.probes import must_be_signed_in
from deploy.check.result import Text, Unseen, Wrong
from deploy.check.target import Place

LEAST_DAYS = 21
"""ACM renews 60 days before the end: with less, something holds it up."""
CLOSED = {
    "/": (302,),
    "/terminals/": (302,),
    "/admin/": (302, 403),
    "/.env": (302, 403, 404),
    "/.git/config": (302, 403, 404),
}
LINK, BOARD = "/ws/terminal/", "/ws/board/?page=%2F"
SUBPROTOCOL = {"Sec-WebSocket-Protocol": "tms.v1"}


def certificate(place: Place) -> Text:
    if not place.url.startswith("https:"):
        raise Wrong(f"{place.url} is not HTTPS", f"{place.url} は HTTPS ではない")
    try:
        shaken = handshake(place.host, place.port, insecure=place.insecure)
    except OSError as error:
        raise Wrong(f"no TLS: {error}", f"TLS 接続できない: {error}") from None
    ends_at = x509.load_der_x509_certificate(shaken.certificate).not_valid_after_utc
    days = (ends_at - datetime.now(UTC)).days
    if shaken.version != "TLSv1.3":
        raise Wrong(f"{shaken.version} was agreed on", f"{shaken.version} で接続された")
    if days < LEAST_DAYS:
        raise Wrong(f"the certificate ends in {days} days", f"証明書の残りが {days} 日")
    return Text(
        f"{shaken.version}, the certificate is good for {days} days{', not vouched for (--insecure)' * place.insecure}",
        f"{shaken.version}、証明書の残り {days} 日{'、発行元は未検証 (--insecure)' * place.insecure}",
    )


def headers(place: Place) -> Text:
    answer = place.stranger().get("/sign-in/")
    policy = answer.headers.get("Content-Security-Policy", "")
    age = answer.headers.get("Strict-Transport-Security", "")
    if "max-age=31536000" not in age:
        raise Wrong(f"Strict-Transport-Security is {age!r}", f"Strict-Transport-Security が {age!r}")
    if "default-src 'none'" not in policy or "unsafe" in policy:
        raise Wrong(f"Content-Security-Policy is {policy!r}", f"Content-Security-Policy が {policy!r}")
    if answer.headers.get("X-Content-Type-Options") != "nosniff" or answer.headers.get("X-Frame-Options") != "DENY":
        raise Wrong("nosniff or DENY is missing", "nosniff または DENY がない")
    return Text(
        "HSTS for a year, CSP without unsafe, nosniff, no frames", "HSTS 1年、CSP に unsafe なし、nosniff、フレーム禁止"
    )


def redirect(place: Place) -> Text:
    if place.port != 443:
        raise Unseen(
            f"with people on port {place.port} there is no port 80 to be sent on from",
            f"利用者用ポートが {place.port} のため、転送元の 80 番ポートがない",
        )
    answer = Visitor(f"http://{place.host}", insecure=False).get("/")
    target = answer.headers.get("Location", "")
    if answer.status not in (301, 308) or not target.startswith("https://"):
        raise Wrong(
            f"http:// answers {answer.status}, Location {target!r}",
            f"http:// の応答が {answer.status}、Location {target!r}",
        )
    return Text(f"http:// leads to {target}", f"http:// は {target} に転送")


def metrics(place: Place) -> Text:
    for path in ("/metrics", "//metrics", "/metrics?a=b", "/./metrics"):
        answer = place.stranger().get(path)
        if answer.status not in (403, 404) or "tms_" in answer.body:
            raise Wrong(f"{path} answers {answer.status}", f"{path} の応答が {answer.status}")
    return Text("/metrics is refused in every spelling", "/metrics はどの書き方でも拒否")


def strangers(place: Place) -> Text:
    for path, allowed in CLOSED.items():
        status = place.stranger().get(path).status
        if status not in allowed:
            raise Wrong(f"a stranger gets {status} from {path}", f"未サインインで {path} の応答が {status}")
    return Text(f"strangers are sent away from {', '.join(CLOSED)}", f"未サインインでは {'、'.join(CLOSED)} に入れない")


def sockets(place: Place) -> Text:
    """The handshake comes through the front, and is refused by TMS, not by what stands before it."""
    refused = place.stranger().upgrade(LINK, **SUBPROTOCOL)
    if refused != 401:
        raise Wrong(
            f"{LINK} without a credential gets {refused}, not 401", f"資格情報なしの {LINK} が 401 ではなく {refused}"
        )
    foreign = place.person.upgrade(BOARD, Origin="https://elsewhere.example")
    if foreign != 403:
        raise Wrong(
            f"a board from a foreign page gets {foreign}, not 403", f"他サイトからのボードが 403 ではなく {foreign}"
        )
    return Text(
        "a terminal without a credential gets 401, a foreign page 403",
        "資格情報なしの端末は 401、他サイトのページは 403",
    )


def board(place: Place) -> Text:
    must_be_signed_in(place)
    status = place.person.upgrade(BOARD, Origin=place.person.origin)
    if status != 101:
        raise Wrong(f"the overview's socket gets {status}, not 101", f"概要画面のソケットが 101 ではなく {status}")
    return Text("the overview's socket opens through the front", "概要画面のソケットがフロント経由で開く")
