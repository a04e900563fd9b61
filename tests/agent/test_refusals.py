"""How an agent handles refusals."""

import pytest

from tms_agent.options import Options
from tms_agent.protocol.close_codes import CloseCode
from tms_agent.storage.state import AgentPhase

PATIENT = Options(jitter=lambda: 1.0)
IMPATIENT = Options(jitter=lambda: 1.0, ends_when_refused=True)


async def test_a_refused_credential_is_retried_rarely_and_reported(tms, start, lines):
    tms.reject_credential()
    running = start(options=PATIENT)

    state = await running.until(lambda state: state.phase is AgentPhase.WAITING)

    assert state.refused == "TMS answered 401 as TMS says it"
    assert "TMS answered 401 as TMS says it; next try in 300 s" in lines()
    assert len(tms.requests) == 1


async def test_a_credential_that_never_worked_can_end_the_run(tms, start, lines):
    tms.reject_credential()
    running = start(options=IMPATIENT)

    goodbye = await running.ended()

    assert goodbye is None
    assert running.agent.state.refused == "TMS answered 401 as TMS says it"
    assert "giving up" in lines()


async def test_a_credential_that_once_worked_is_always_retried(tms, start):
    running = start(options=IMPATIENT)
    link = await tms.booted()

    await link.close(CloseCode.CREDENTIAL_REVOKED)
    state = await running.until(lambda state: state.phase is AgentPhase.WAITING)

    assert "the credential was revoked (4401)" in state.refused
    assert not running.task.done()


async def test_a_credential_that_works_again_is_no_longer_reported_as_refused(tms, start):
    tms.reject_credential(Retry_After="0")
    running = start(options=PATIENT)

    await tms.booted()
    state = await running.until(lambda state: state.is_connected)

    assert state.refused == ""
    assert any(state.refused for state in running.states)


async def test_retry_after_is_honoured(tms, start, lines):
    tms.refuse(503, Retry_After="77")
    running = start()

    await running.until(lambda state: state.phase is AgentPhase.WAITING)

    assert (
        "the server answered 503 Service Unavailable; this is not an answer of TMS itself; next try in 77 s" in lines()
    )
    assert len(tms.requests) == 1


HTML = b"<h1>Forbidden</h1>"
PROXY = {"body": HTML, "Content_Type": "text/html"}
FORGED = {"body": b'{"type": "about:blank"}', "Content_Type": "application/problem+json"}


@pytest.mark.parametrize(
    ("answer", "wait_s", "is_rejected"),
    [
        ({"status": 401, "problem": "tms:unauthorised"}, 300, True),
        ({"status": 401, **PROXY}, 0, False),
        ({"status": 401, **FORGED}, 0, False),
        ({"status": 401, "problem": "tms:unavailable"}, 0, False),
        ({"status": 403, **PROXY}, 0, False),
        ({"status": 403, **PROXY, "Retry_After": "120"}, 120, False),
        ({"status": 403, **FORGED, "Retry_After": "7"}, 7, False),
        ({"status": 403, "body": b"{", "Content_Type": "application/problem+json"}, 0, False),
        ({"status": 400, "problem": "tms:bad-handshake"}, 0, False),
        ({"status": 404, **PROXY}, 0, False),
        ({"status": 429, "problem": "tms:too-fast", "Retry_After": "300"}, 300, False),
        ({"status": 429, **PROXY}, 0, False),
        ({"status": 502, **PROXY}, 0, False),
        ({"status": 503, "problem": "tms:unavailable", "Retry_After": "5"}, 5, False),
        ({"status": 503, **PROXY, "Retry_After": "999999"}, 3600, False),
        (
            {
                "status": 503,
                **PROXY,
                "Date": "Thu, 01 Jan 2099 00:00:00 GMT",
                "Retry_After": "Thu, 01 Jan 2099 00:01:30 GMT",
            },
            90,
            False,
        ),
    ],
)
async def test_the_status_decides_on_the_minimum_wait(tms, start, lines, answer, wait_s, is_rejected):
    tms.refuse(**answer)
    running = start()

    state = await running.until(lambda state: state.phase is AgentPhase.WAITING)

    assert f"next try in {wait_s} s" in lines()
    assert bool(state.refused) is is_rejected


async def test_a_blocking_firewall_is_reported_as_such(tms, start, lines):
    tms.refuse(403, **PROXY)
    running = start(options=IMPATIENT)

    await tms.booted()

    assert "the server answered 403 Forbidden; this is not an answer of TMS itself" in lines()
    assert not running.task.done()


async def test_other_server_errors_are_retried_soon(tms, start):
    tms.refuse(502)
    start()

    await tms.booted()

    assert len(tms.requests) == 2


@pytest.mark.parametrize(
    ("code", "line"),
    [
        (CloseCode.BAD_FRAMES, "the agent may be too old (4400); next try in 60 s"),
        (CloseCode.REPLACED, "another device connected with the same credential; give each device its own (4409"),
        (CloseCode.REPLACED, "next try in 60 s"),
        (CloseCode.TOO_LARGE, "a frame was too large for TMS (4413); next try in 10 s"),
        (CloseCode.TOO_FAST, "too many frames from this terminal (4429); next try in 30 s"),
        (CloseCode.DRAINING, "this node of TMS stops (4503); next try in 1 s"),
        (CloseCode.NO_BOOT, "TMS did not get the boot in time (4408); next try in 0 s"),
    ],
)
async def test_a_close_code_is_explained_and_decides_on_the_wait(tms, start, lines, code, line):
    running = start()
    link = await tms.booted()

    await link.close(code)
    await running.until(lambda state: state.phase is AgentPhase.WAITING)

    assert line in lines()


async def test_a_reason_from_the_server_is_logged(tms, start, lines):
    running = start()
    link = await tms.booted()

    await link.close(4499, "out of order")
    await running.until(lambda state: state.phase is AgentPhase.WAITING)

    assert "the link was closed (4499: out of order)" in lines()


async def test_a_server_without_the_subprotocol_gets_no_boot(tms, start, lines):
    tms.refuse(200)
    start()

    await tms.booted()

    assert "the server answered 200" in lines()


async def test_a_port_without_a_listener_is_retried(start, lines, unused_tcp_port):
    running = start(url=f"ws://127.0.0.1:{unused_tcp_port}/")

    await running.until(lambda state: state.phase is AgentPhase.WAITING)

    assert "cannot connect to 127.0.0.1: Connect call failed" in lines()
