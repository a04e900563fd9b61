"""A file that a terminal uploads by way of nginx: its parts reach several nodes."""

import asyncio
import re
from urllib.request import Request, urlopen

import pytest

from tests.support.link.terminal import Terminal
from tests.support.polling import DEADLINE_S, wait_for

pytestmark = pytest.mark.services

PARTS, PART = 12, 2**20
QUEUE = """
from django.utils import timezone
from tms.commands import services
from tms.fleet.models import Terminal
services.queue(
    Terminal.objects.get(uid="{uid}"), name="logs", args={{}}, by=None, at=timezone.now(), answer_within_s=600
)
"""
FILE = """
SELECT f.state, f.length, f.parts FROM files_terminalfile f JOIN fleet_terminal t ON t.id = f.terminal_id
WHERE t.uid = %s AND f.number = 1
"""


async def test_the_parts_of_a_file_may_reach_any_node(cluster, credential, query):
    uid = credential.partition(".")[0]
    async with await Terminal.connect(
        cluster.nginx.plain_url.replace("http", "ws") + "/ws/terminal/", credential
    ) as link:
        await link.boot(capabilities=["logs"])
        await asyncio.to_thread(cluster.manage, "shell", "-c", QUEUE.format(uid=uid))
        path = (await link.receive())["params"]["uploads"][0]["path"]

        def send(method: str, data: bytes = b"", **headers: str) -> int:
            own = {"Authorization": f"Bearer {credential}", "Tus-Resumable": "1.0.0", "X_Forwarded_Proto": "https"}
            named = {name.replace("_", "-"): value for name, value in (own | headers).items()}
            with urlopen(
                Request(cluster.nginx.plain_url + path, data, named, method=method), timeout=DEADLINE_S
            ) as answer:
                return int(answer.headers["Upload-Offset"])

        length = str(PARTS * PART)
        await asyncio.to_thread(send, "POST", Upload_Length=length, Upload_Metadata="filetype dGV4dC9wbGFpbg==")
        offset = 0
        while offset < PARTS * PART:
            fields = {"Content_Type": "application/offset+octet-stream", "Upload_Offset": str(offset)}
            offset = await asyncio.to_thread(send, "PATCH", b"x" * PART, **fields)

    assert query(FILE, uid) == [("complete", PARTS * PART, PARTS)]
    files = [cluster.nginx.folder / "access.log", *(service.log for service in cluster.services)]
    logs = wait_for(
        lambda: "".join(file.read_text() for file in files), lambda text: text.count('"/upload/[removed]"') > PARTS
    )
    assert path not in logs
    assert len(set(re.findall(r'"PATCH","path":"/upload/\[removed\]".*?"node":"([^"]+)"', logs))) > 1
