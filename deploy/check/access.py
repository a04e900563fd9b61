"""Checks of TLS, security headers, and what is reachable without signing in."""

from datetime import UTC, datetime

from cryptography import x509

from deploy.check.http_client import HttpClient, handshake
from deploy.check.probes import must_be_signed_in
from deploy.check.result import Failed, Skipped, Text
from deploy.check.target import CheckTarget

LEAST_DAYS = 21
"""ACM renews 60 days before the expiry: fewer days left mean that the renewal is stuck."""
CLOSED = {
    "/": (302,),
    "/terminals/": (302,),
    "/.env": (302, 403, 404),
    "/.git/config": (302, 403, 404),
}
LINK, BOARD = "/ws/terminal/", "/ws/board/?page=%2F"
SUBPROTOCOL = {"Sec-WebSocket-Protocol": "tms.v1"}


def certificate(target: CheckTarget) -> Text:
    if not target.url.startswith("https:"):
        raise Failed(f"{target.url} is not HTTPS", f"{target.url} は HTTPS ではない")
    try:
        tls = handshake(target.host, target.port, insecure=target.insecure)
    except OSError as error:
        raise Failed(f"no TLS: {error}", f"TLS 接続できない: {error}") from None
    ends_at = x509.load_der_x509_certificate(tls.certificate).not_valid_after_utc
    days = (ends_at - datetime.now(UTC)).days
    if tls.version != "TLSv1.3":
        raise Failed(f"negotiated {tls.version}", f"{tls.version} で接続された")
    if days < LEAST_DAYS:
        raise Failed(f"the certificate expires in {days} days", f"証明書の残りが {days} 日")
    return Text(
        f"{tls.version}, certificate valid for {days} days{', issuer not verified (--insecure)' * target.insecure}",
        f"{tls.version}、証明書の残り {days} 日{'、発行元は未検証 (--insecure)' * target.insecure}",
    )


def headers(target: CheckTarget) -> Text:
    response = target.anonymous().get("/sign-in/")
    policy = response.headers.get("Content-Security-Policy", "")
    age = response.headers.get("Strict-Transport-Security", "")
    if "max-age=31536000" not in age:
        raise Failed(f"Strict-Transport-Security is {age!r}", f"Strict-Transport-Security が {age!r}")
    if "default-src 'none'" not in policy or "unsafe" in policy:
        raise Failed(f"Content-Security-Policy is {policy!r}", f"Content-Security-Policy が {policy!r}")
    if response.headers.get("X-Content-Type-Options") != "nosniff" or response.headers.get("X-Frame-Options") != "DENY":
        raise Failed("nosniff or DENY is missing", "nosniff または DENY がない")
    return Text(
        "HSTS for a year, CSP without unsafe, nosniff, no frames", "HSTS 1年、CSP に unsafe なし、nosniff、フレーム禁止"
    )


def redirect(target: CheckTarget) -> Text:
    if target.port != 443:
        raise Skipped(
            f"people use port {target.port}, so there is no port 80 to redirect",
            f"利用者用ポートが {target.port} のため、転送元の 80 番ポートがない",
        )
    response = HttpClient(f"http://{target.host}", insecure=False).get("/")
    location = response.headers.get("Location", "")
    if response.status not in (301, 308) or not location.startswith("https://"):
        raise Failed(
            f"http:// returned {response.status}, Location {location!r}",
            f"http:// の応答が {response.status}、Location {location!r}",
        )
    return Text(f"http:// redirects to {location}", f"http:// は {location} に転送")


def metrics(target: CheckTarget) -> Text:
    for path in ("/metrics", "//metrics", "/metrics?a=b", "/./metrics"):
        response = target.anonymous().get(path)
        if response.status not in (403, 404) or "tms_" in response.body:
            raise Failed(f"{path} returned {response.status}", f"{path} の応答が {response.status}")
    return Text("/metrics is rejected in every spelling", "/metrics はどの書き方でも拒否")


def anonymous_access(target: CheckTarget) -> Text:
    for path, allowed in CLOSED.items():
        status = target.anonymous().get(path).status
        if status not in allowed:
            raise Failed(f"{path} returned {status} without sign-in", f"未サインインで {path} の応答が {status}")
    return Text(f"no access without sign-in to {', '.join(CLOSED)}", f"未サインインでは {'、'.join(CLOSED)} に入れない")


def sockets(target: CheckTarget) -> Text:
    """The handshake passes the load balancer, and TMS itself rejects it."""
    unsigned = target.anonymous().upgrade(LINK, **SUBPROTOCOL)
    if unsigned != 401:
        raise Failed(
            f"{LINK} without a credential returned {unsigned}, not 401",
            f"資格情報なしの {LINK} が 401 ではなく {unsigned}",
        )
    foreign = target.user.upgrade(BOARD, Origin="https://elsewhere.example")
    if foreign != 403:
        raise Failed(
            f"a board from another site got {foreign}, not 403",
            f"他サイトからのボードが 403 ではなく {foreign}",
        )
    return Text(
        "a terminal without a credential gets 401, another site 403",
        "資格情報なしの端末は 401、他サイトのページは 403",
    )


def board(target: CheckTarget) -> Text:
    must_be_signed_in(target)
    status = target.user.upgrade(BOARD, Origin=target.user.origin)
    if status != 101:
        raise Failed(f"the overview's socket returned {status}, not 101", f"概要画面のソケットが 101 ではなく {status}")
    return Text(
        "the overview's socket opens through the load balancer or proxy", "概要画面のソケットがフロント経由で開く"
    )
