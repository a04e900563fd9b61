"""Nothing is sent to addresses that only TMS itself can reach."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

import pytest

from tests.support.notifications.destinations import webhook_destination
from tests.support.notifications.webhook_receiver import WebhookReceiver, run_receiver
from tests.support.servers.tms import ROOT
from tms.lib.outgoing import ssrf_guard
from tms.notifications.destinations.test_send import send_test
from tms.notifications.models.delivery import Delivery
from tms.notifications.models.destination import Destination
from tms.notifications.transports.result import SendOutcome


@pytest.fixture
def other() -> Iterator[WebhookReceiver]:
    """Another server on this machine, at an address that is not allowed."""
    yield from run_receiver("127.0.0.2")


@pytest.fixture
def names(monkeypatch) -> dict[str, list[str]]:
    """Addresses of names; of several answers each is returned once, the last one repeatedly."""
    answers: dict[str, list[str]] = {}
    resolve = socket.getaddrinfo

    def stand_in(host, *args, **kwargs):
        known = answers.get(host)
        if known:
            host = known.pop(0) if len(known) > 1 else known[0]
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", stand_in)
    return answers


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "2002:808:808::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "::10.0.0.1",
        "::8.8.8.8",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::8.8.8.8",
        "fec0::1",
        "5f00::1",
        "100::1",
        "2001:db8::1",
        "3fff::1",
        "fe80::1%1",
        "0.1.2.3",
        "192.0.0.9",
        "192.0.2.1",
        "192.88.99.1",
        "198.19.255.255",
        "203.0.113.1",
        "239.255.255.255",
    ],
)
def test_a_private_address_is_not_public(address):
    assert not ssrf_guard.is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_a_public_address_is(address):
    assert ssrf_guard.is_public(ip_address(address))


INSIDE = [
    *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "localhost"),
    *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[fec0::1]", "[fe80::1]", "[fd00:ec2::254]"),
    *("[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]", "10.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
    *("198.18.0.1", "192.0.0.8", "255.255.255.255", "127.0.0.1.", "127。0。0。1", "１２７.0.0.1"),
    *("a@127.0.0.1", "example.com:1@127.0.0.1", "127.0.0.1#@example.com"),
]


@pytest.mark.parametrize(("kind", "host"), [*(("webhook", host) for host in INSIDE), ("chat", "127.0.0.1")])
def test_a_private_address_is_refused_when_it_is_saved(staff, host, kind):
    scheme = "http" if kind == "webhook" else "json"

    answer = staff.post(f"/destinations/new/{kind}/", {"name": "X", "where": f"{scheme}://{host}/", "language": "en"})

    assert (answer.status_code, Destination.objects.exists()) == (422, False)


def test_a_name_that_resolves_to_a_private_address_is_refused_when_it_is_saved(staff, names, settings):
    names["hooks.example.com"] = ["10.0.0.1"]
    form = {"name": "X", "where": "https://hooks.example.com/", "language": "en"}

    refused = staff.post("/destinations/new/webhook/", form)
    settings.INSIDE_DESTINATIONS = [ip_network("10.0.0.0/8")]
    taken = staff.post("/destinations/new/webhook/", form)

    assert "Blocked: private address hooks.example.com (10.0.0.1)." in refused.content.decode()
    assert (refused.status_code, taken.status_code) == (422, 200)


def test_an_unknown_name_is_saved(staff):
    answer = staff.post("/destinations/new/webhook/", {"name": "X", "where": "https://new.invalid/", "language": "en"})

    assert (answer.status_code, Destination.objects.count()) == (200, 1)


@pytest.mark.django_db
class TestWebhook:
    def test_a_private_address_is_refused_and_reported(self, other):
        answer = send_test(webhook_destination(other.url))

        assert (answer.outcome, other.posted) == (SendOutcome.FAILED, [])
        assert "127.0.0.2" in answer.detail

    def test_a_name_that_resolves_to_a_private_address_is_refused(self, other, names):
        names["hooks.example.com"] = ["127.0.0.2"]

        answer = send_test(webhook_destination(f"http://hooks.example.com:{other.port}/"))

        assert (answer.outcome, other.posted) == (SendOutcome.FAILED, [])

    def test_a_name_with_one_private_address_is_never_connected_there(self, other, monkeypatch):
        resolve = socket.getaddrinfo
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, *args, **kwargs: [
                found for address in ("127.0.0.2", "::1") for found in resolve(address, *args, **kwargs)
            ],
        )

        answer = send_test(webhook_destination(f"http://hooks.example.com:{other.port}/"))

        assert (answer.outcome, other.posted) == (SendOutcome.FAILED, [])

    def test_a_name_that_changes_to_a_private_address_after_the_check_gains_nothing(self, receiver, other, names):
        """DNS rebinding: the first answer is allowed, and its response redirects to the same name elsewhere."""
        names["hooks.example.com"] = ["127.0.0.1", "127.0.0.2"]
        receiver.script = [(307, {"Location": f"http://hooks.example.com:{other.port}/"})]

        answer = send_test(webhook_destination(f"http://hooks.example.com:{receiver.port}/"))

        assert len(receiver.posted) == 1
        assert (answer.outcome, other.posted) == (SendOutcome.FAILED, [])

    @pytest.mark.parametrize("to", ["http://{host}:{port}/", "//{host}:{port}/"])
    def test_a_redirect_to_a_private_address_is_refused(self, receiver, other, to):
        receiver.script = [(308, {"Location": to.format(host=other.host, port=other.port)})]

        answer = send_test(webhook_destination(receiver.url))

        assert (answer.outcome, other.posted) == (SendOutcome.FAILED, [])

    @pytest.mark.parametrize("to", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://["])
    def test_a_redirect_to_another_protocol_than_http_is_not_followed(self, receiver, to):
        receiver.script = [(307, {"Location": to})]

        assert send_test(webhook_destination(receiver.url)).outcome is SendOutcome.FAILED

    def test_an_allowed_network_is_reached_and_a_redirect_within_it_is_followed(self, receiver, other, settings):
        settings.INSIDE_DESTINATIONS = [ip_network("127.0.0.0/8")]
        receiver.script = [(307, {"Location": other.url})]

        answer = send_test(webhook_destination(receiver.url))

        assert (answer.outcome, len(other.posted)) == (SendOutcome.DELIVERED, 1)
        assert other.posted[0].body == receiver.posted[0].body

    def test_a_redirect_loop_ends(self, receiver):
        receiver.usual = (307, {"Location": receiver.url})

        answer = send_test(webhook_destination(receiver.url))

        assert answer.outcome is SendOutcome.RETRY
        assert len(receiver.posted) == 4

    def test_the_guard_ends_with_the_send(self, other):
        send_test(webhook_destination(other.url))

        with socket.create_connection((other.host, other.port), timeout=5) as connection:
            assert connection.getpeername() == (other.host, other.port)

    def test_chat_services_are_guarded_too(self, other):
        from tms.notifications.models.destination import Destination

        chat = Destination(kind="chat", name="Chat")
        chat.set_address(f"json://{other.host}:{other.port}/")
        chat.save()

        answer = send_test(chat)

        assert (answer.outcome, other.posted) == (SendOutcome.FAILED, [])
        assert "127.0.0.2" in answer.detail


@pytest.mark.django_db
def test_a_blocked_delivery_fails_with_the_reason(delivery_clock, fleet, policy, other):
    from tests.support.factories import alert

    policy((0, [webhook_destination(other.url)]))
    alert(fleet)

    delivery_clock.advance(1)

    delivery = Delivery.objects.get()
    assert (delivery.state, other.posted) == ("dead", [])
    assert "127.0.0.2" in delivery.detail


LAST = """
import sys, threading, django; django.setup()
from tms.lib.outgoing import ssrf_guard as guard

class Last:
    module = guard
    def __del__(self, audit=sys.audit):
        audit("tms.last")

threading.last = Last()
with guard.outside_only([], within_s=1):
    pass
"""


def test_an_exiting_process_reports_no_error_of_the_hook():
    """Modules are cleared before all of their objects are freed, and hooks are called to the very end."""
    done = subprocess.run([sys.executable, "-c", LAST], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stderr == ""
