"""An artifact by way of nginx: a person uploads it in parts, and a terminal downloads it."""

import asyncio
import json
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.support.artifacts import make_manifest, sign
from tests.support.link.terminal import Terminal
from tests.support.polling import DEADLINE_S, wait_for

pytestmark = pytest.mark.services

PART_BYTES = 8 * 2**20
CONTENT = bytes(range(256)) * (PART_BYTES // 256) + b"the rest"
TOKEN = """
from django.utils import timezone
from tests.support.artifacts import make_key
from tms.accounts.models import User
from tms.accounts import api_tokens
make_key()
print(api_tokens.issue(User.objects.get(username="tanaka"), name="release", at=timezone.now())[1])
"""
ORDER = """
from django.utils import timezone
from tms.artifacts import delivery
from tms.artifacts.models import Artifact
from tms.fleet.models import Terminal
terminal = Terminal.objects.get(uid="{uid}").pk
delivery.order(
    [terminal], Artifact.objects.get(), by=None, at=timezone.now(), answer_within_s=600, deliver_within_s=600
)
"""


class Answer(NamedTuple):
    status: int
    location: str
    body: bytes


class Client:
    def __init__(self, url: str, bearer: str) -> None:
        self._url, self._bearer = url, bearer

    def send(self, method: str, path: str, data: bytes = b"", **headers: str) -> Answer:
        own = {"Authorization": f"Bearer {self._bearer}", "Tus-Resumable": "1.0.0", "X-Forwarded-Proto": "https"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            with urlopen(Request(self._url + path, data, own | named, method=method), timeout=DEADLINE_S) as answer:
                return Answer(answer.status, answer.headers.get("Location", ""), answer.read())
        except HTTPError as answer:
            with answer:
                return Answer(answer.code, "", answer.read())

    def upload(self) -> None:
        path = self.send("POST", "/artifacts/uploads/", Upload_Length=str(len(CONTENT))).location
        for begin in (0, PART_BYTES):
            part, kind = CONTENT[begin : begin + PART_BYTES], "application/offset+octet-stream"
            assert self.send("PATCH", path, part, Upload_Offset=str(begin), Content_Type=kind).status == 204
        text = make_manifest(CONTENT).text
        signature = sign(text)
        body = {"manifest": text, "signatures": [{"key": signature.key, "signature": signature.signature}]}
        self.send("PUT", f"{path}/manifest", json.dumps(body).encode())
        wait_for(lambda: json.loads(self.send("GET", path).body), lambda state: bool(state["may_be_added"]))
        added = {"upload": path.rpartition("/")[2]}
        made = self.send("POST", "/api/v1/artifacts", json.dumps(added).encode(), Content_Type="application/json")
        assert made.status == 201, made.body


async def test_an_artifact_is_uploaded_in_parts_and_downloaded_with_ranges(cluster, credential):
    token = (await asyncio.to_thread(cluster.manage, "shell", "-c", TOKEN)).splitlines()[-1]
    await asyncio.to_thread(Client(cluster.nginx.plain_url, token).upload)

    async with await Terminal.connect(
        cluster.nginx.plain_url.replace("http", "ws") + "/ws/terminal/", credential
    ) as link:
        await link.boot(model="KX-21", features=["update"])
        await asyncio.to_thread(cluster.manage, "shell", "-c", ORDER.format(uid=credential.partition(".")[0]))
        path = (await link.receive())["params"]["url"]
    terminal = Client(cluster.nginx.plain_url, credential)

    whole = await asyncio.to_thread(terminal.send, "GET", path)
    part = await asyncio.to_thread(terminal.send, "GET", path, Range=f"bytes={PART_BYTES}-")
    strange = await asyncio.to_thread(Client(cluster.nginx.plain_url, "T.x").send, "GET", path)
    inside = await asyncio.to_thread(terminal.send, "GET", "/artifact-files/x")

    assert (whole.status, whole.body == CONTENT) == (200, True)
    assert (part.status, part.body) == (206, b"the rest")
    assert (strange.status, inside.status) == (401, 404)
