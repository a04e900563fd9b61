"""nginx in front of the nodes, with the configuration of production."""

import asyncio
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.request import Request

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from deploy.processes import Cluster
from tests.cluster.people import Answer, Person
from tests.support.link.terminal import Terminal
from tests.support.polling import wait_for

pytestmark = pytest.mark.services

ADDRESS = "SELECT host(address) FROM fleet_terminal WHERE uid = %s"
STRANGER = "203.0.113.7"
WITH_CREDENTIAL = (
    "/terminals/?token",
    "/terminals/?q=a&api_key",
    "/terminals/?PASSWORD",
    "/terminals/?credential",
    "/terminals/?q=a&%74oken",
    "/terminals/?to%6Ben",
    "/api/v1/sites?key",
)
NEW_PASSWORD = "watch-the-fleet-7"
ROLE = r'<option value="(\d+)"[^>]*>Viewer'


def tls_link(cluster) -> str:
    return f"wss://127.0.0.1:{cluster.nginx.port}/ws/terminal/"


def test_pages_are_proxied_and_cookies_are_for_https(cluster, person):
    page = person.get(cluster.url, "/terminals/")

    assert page.status == 200
    assert page.headers["Strict-Transport-Security"]
    assert person.cookies.keys() == {"__Host-tms_session", "__Host-csrftoken", "__Host-tms_device"}


def test_metrics_are_not_public(cluster, person):
    for url in (cluster.url, cluster.nginx.plain_url):
        for path in ("/metrics", "//metrics", "/metrics?a=b", "/./metrics"):
            answer = person.get(url, path)

            assert answer.status in (403, 404)
            assert "tms_" not in answer.body


def test_health_contains_the_name_of_the_node(cluster, trust):
    answer = Person(trust).get(cluster.url, "/health/")

    assert re.search(r'"node": "node-[123]"', answer.body)


def test_static_files_are_served_from_disk_and_cached_forever(cluster, person):
    style = re.search(r'/static/css/[^"]+\.css', person.get(cluster.url, "/").body)
    assert style is not None

    answer = person.get(cluster.url, style[0], **{"Accept-Encoding": "gzip"})

    assert answer.status == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Content-Type"] == "text/css"


def test_a_flood_of_forms_from_one_network_is_stopped_here(cluster, trust):
    """Only the first ones reach the nodes, which answer 403 (no token); then some wait."""
    person = Person(trust)

    def send(host: int) -> Answer | None:
        try:
            return send_from(Person(trust), cluster, "/sign-in/", f"2001:db8:9:1::{host:x}", timeout_s=5)
        except TimeoutError:
            return None

    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(send, range(60)))

    statuses = Counter(answer.status for answer in answers if answer is not None)
    late = next(answer for answer in answers if answer is not None and answer.status == 429)
    assert statuses[403] >= 31
    assert statuses[429] <= 60 - 31 - 14
    assert None in answers
    assert late.headers["Retry-After"] == "60"
    assert "Try again in a minute." in late.body
    assert "1分後にもう一度お試しください。" in late.body
    assert person.get(cluster.nginx.plain_url, "/sign-in/").status == 200
    for elsewhere in ("2001:db8:9:2::1", "2001:db8::9", "198.51.100.9"):
        assert send_from(person, cluster, "/sign-in/", elsewhere).status == 403


def test_credentials_in_a_url_reach_no_node_and_no_log(cluster, person):
    secret = "c0nfidential-and-never-logged"

    answers = [person.get(cluster.url, f"{path}={secret}") for path in WITH_CREDENTIAL]

    assert {answer.status for answer in answers} == {400}
    assert "Authorization header" in answers[0].body
    assert person.get(cluster.url, f"/terminals/?q={secret}").status == 200
    assert secret not in logs_of(cluster)


@pytest.mark.parametrize(
    "query", ["q=x&key=1", "q=token", "q=a&monkey=b", "q=%E3%83%86%E3%81%AB&keys=2", "q=a?token%3D1"]
)
def test_a_filter_is_not_taken_for_a_credential(cluster, person, query):
    assert person.get(cluster.url, f"/alerts/?{query}").status == 200


@pytest.mark.parametrize("front", ["url", "plain_url"], ids=["nginx ends TLS", "a load balancer does"])
def test_an_invited_person_walks_through_nginx(cluster, person, trust, front):
    url, new = getattr(cluster, front, None) or cluster.nginx.plain_url, Person(trust)
    role, email = re.search(ROLE, person.get(url, "/people/").body), f"{front}@noc.example"
    assert role is not None
    first = {"grant-0-role": role[1], "grant-0-scope": "everything"}
    page = person.post(url, "/people/invite/", on="/people/", email=email, language="en", **first)
    link = re.search(r"https?://[^/]+(/invitation/([\w-]{43})/)", page.body)
    assert link is not None, page.body
    names = {"last_name": "Kondo", "first_name": "Ai", "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}

    assert new.get(url, link[1]).status == 200
    assert new.post(url, link[1], on=link[1], **names).headers["Location"] == "/"

    assert new.get(url, "/me/").status == 200
    assert link[2] not in wait_for(lambda: logs_of(cluster), lambda text: text.count("/invitation/[removed]/") >= 3)


def test_nginx_logs_links_without_their_token(cluster, trust):
    token = "t0ken-of-a-link-that-no-log-may-contain-0123"

    for path in ("/act/{}", "/act/{}/", "//act/{}/", "/invitation/{}/", "/sign-in/reset/MQ/{}/"):
        assert Person(trust).get(cluster.url, path.format(token)).status in (200, 301, 404)

    last = '"path":"/sign-in/reset/MQ/[removed]/"'
    assert token not in wait_for(lambda: logs_of(cluster), lambda text: last in text)  # nginx buffers


def test_a_visitor_with_a_long_query_is_sent_to_sign_in(cluster, trust):
    answer = Person(trust).get(cluster.url, f"/alerts/?q={'a' * 6000}")

    assert (answer.status, answer.headers["Location"]) == (302, "/sign-in/?next=/")


def test_only_their_user_reads_the_logs_of_the_cluster(cluster):
    logs = [cluster.nginx.folder / "access.log", *(service.log for service in cluster.services)]

    assert [log for log in logs if log.stat().st_mode & 0o077] == []


def logs_of(cluster: Cluster) -> str:
    logs = [cluster.nginx.folder / "access.log", *(service.log for service in cluster.services)]
    return "".join(log.read_text() for log in logs if log.exists())


def send_from(person: Person, cluster: Cluster, path: str, address: str, *, timeout_s: float = 30) -> Answer:
    headers = {"X-Forwarded-For": address, "X-Forwarded-Proto": "https"}
    request = Request(cluster.nginx.plain_url + path, b"username=a&password=b", headers)
    return person.ask(request, timeout_s=timeout_s)


async def test_a_client_cannot_forge_its_address(cluster, credential, trust, query):
    async with await forwarded(tls_link(cluster), credential, ssl=trust) as terminal:
        await terminal.boot()

    assert query(ADDRESS, credential.partition(".")[0]) != [(STRANGER,)]


async def test_a_load_balancer_passes_the_address_of_a_client(cluster, credential, query):
    async with await forwarded(cluster.link, credential) as terminal:
        await terminal.boot()

    assert query(ADDRESS, credential.partition(".")[0]) == [(STRANGER,)]


async def forwarded(link: str, credential: str, **options: Any) -> Terminal:
    headers = {"Authorization": f"Bearer {credential}", "X-Forwarded-For": STRANGER, "Forwarded": f"for={STRANGER}"}
    socket = await connect(link, subprotocols=[Subprotocol("tms.v1")], additional_headers=headers, **options)
    return Terminal(socket)


async def test_a_stopped_node_is_skipped(cluster, credential, trust):
    first, *_ = cluster.nodes
    first.kill()
    try:
        for number in range(6):
            terminal = await Terminal.connect(tls_link(cluster), credential, ssl=trust)
            await terminal.boot(f"boot-{number}")
            await terminal.socket.close()
            assert (await asyncio.to_thread(Person(trust).get, cluster.url, "/sign-in/")).status == 200
    finally:
        await asyncio.to_thread(first.start)


async def test_a_draining_node_is_skipped(cluster, rows, trust):
    """It answers 503, and nginx tries another one; the client does not notice."""
    first, *_ = cluster.nodes
    terminal_before = await Terminal.connect(first.link, rows.credentials.pop())
    await terminal_before.boot()
    credential = rows.credentials.pop()
    first.request_stop()
    try:
        await terminal_before.closed()
        for number in range(6):
            terminal = await Terminal.connect(tls_link(cluster), credential, ssl=trust)
            await terminal.boot(f"boot-{number}")
            await terminal.socket.close()
    finally:
        await asyncio.to_thread(first.wait_until_ended)
        await asyncio.to_thread(first.start)


async def test_forbidden_requests_are_refused(cluster, rows, trust):
    uid = rows.credentials[0].partition(".")[0]

    with pytest.raises(InvalidStatus) as refused:
        await Terminal.connect(tls_link(cluster), f"{uid}.{'x' * 43}", ssl=trust)

    assert refused.value.response.status_code == 401
