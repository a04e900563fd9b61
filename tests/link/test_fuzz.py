"""Ten thousand bad frames: each is answered, or its link is closed cleanly, without an internal error."""

import asyncio
import random

from tests.support.link.fuzzing import fuzzed_frame, send_frames

FRAMES = 10_000
LINKS_AT_ONCE = 8
CLEAN = {1000, 4400, 4409, 4413, 4429}


async def test_fuzzed_frames_never_break_the_server(tms, enrol):
    frames = iter([fuzzed_frame(random.Random(number)) for number in range(FRAMES)])
    credentials = [enrol() for _ in range(LINKS_AT_ONCE)]

    codes = await asyncio.gather(*(send_frames(tms.link, credential, frames) for credential in credentials))

    assert next(frames, None) is None
    assert {code for of_one in codes for code in of_one} <= CLEAN, codes
    assert '"level": "error"' not in tms.log.read_text()
    assert "Traceback" not in tms.log.read_text()
    assert tms.get("/health/")[0] == 200
