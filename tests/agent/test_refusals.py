"""What an agent makes of being turned away."""

import pytest

from tms.agent.options import Options
from tms.agent.state import Phase
from tms.protocol.close import CloseCode

PATIENT = Options(jitter=lambda: 1.0)
IMPATIENT = Options(jitter=lambda: 1.0, ends_when_refused=True)


async def test_a_refused_credential_is_tried_again_seldom_and_says_so(tms, start, lines):
    tms.refuse(401)
    running = start(options=PATIENT)

    state = await running.until(lambda state: state.phase is Phase.WAITING)

    assert state.refused == "TMS answered 401 Unauthorized"
    assert "TMS answered 401 Unauthorized; next try in 300 s" in lines()
    assert len(tms.requests) == 1


async def test_a_credential_that_never_worked_can_end_the_run(tms, start, lines):
    tms.refuse(401)
    running = start(options=IMPATIENT)

    goodbye = await running.ended()

    assert goodbye is None
    assert running.agent.state.refused == "TMS answered 401 Unauthorized"
    assert "giving up" in lines()


async def test_a_credential_that_worked_once_is_never_given_up(tms, start):
    running = start(options=IMPATIENT)
    link = await tms.booted()

    await link.close(CloseCode.CREDENTIAL_REVOKED)
    state = await running.until(lambda state: state.phase is Phase.WAITING)

    assert "the credential was revoked (4401)" in state.refused
    assert not running.task.done()


async def test_a_credential_that_works_again_is_no_longer_refused(tms, start):
    tms.refuse(401, Retry_After="0")
    running = start(options=PATIENT)

    await tms.booted()
    state = await running.until(lambda state: state.is_connected)

    assert state.refused == ""
    assert any(state.refused for state in running.states)


async def test_retry_after_is_honoured(tms, start, lines):
    tms.refuse(503, Retry_After="77")
    running = start()

    await running.until(lambda state: state.phase is Phase.WAITING)

    assert "TMS answered 503 Service Unavailable; next try in 77 s" in lines()
    assert len(tms.requests) == 1


async def test_another_server_error_is_tried_again_soon(tms, start):
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
async def test_a_close_code_is_explained_and_decides_how_long_to_wait(tms, start, lines, code, line):
    running = start()
    link = await tms.booted()

    await link.close(code)
    await running.until(lambda state: state.phase is Phase.WAITING)

    assert line in lines()


async def test_a_reason_that_the_server_gives_is_told(tms, start, lines):
    running = start()
    link = await tms.booted()

    await link.close(4499, "out of order")
    await running.until(lambda state: state.phase is Phase.WAITING)

    assert "the link was closed (4499: out of order)" in lines()


async def test_a_server_that_does_not_speak_the_protocol_is_not_booted(tms, start, lines):
    tms.refuse(200)
    start()

    await tms.booted()

    assert "TMS answered 200" in lines()


async def test_a_port_on_which_nobody_listens_is_tried_again(start, lines, unused_tcp_port):
    running = start(url=f"ws://127.0.0.1:{unused_tcp_port}/")

    await running.until(lambda state: state.phase is Phase.WAITING)

    assert "cannot connect to 127.0.0.1: Connect call failed" in lines()
