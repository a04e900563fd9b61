"""A person who uploads an artifact by tus."""

import base64
import json

from django.http import HttpResponse
from django.test import Client

from tests.support.artifacts import CONTENT, make_manifest, sign
from tests.support.builders import later
from tms.accounts.models import User
from tms.artifacts import uploads
from tms.artifacts.manifest import Manifest, Signature
from tms.artifacts.models import ArtifactUpload


class Uploader:
    def __init__(self, person: User, client: Client) -> None:
        self.person, self._client, self.path = person, client, ""

    def send(self, method: str, path: str, data: bytes = b"", **headers: str) -> HttpResponse:
        given = {"Tus-Resumable": "1.0.0"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.generic(method, path, data, given.get("Content-Type", ""), headers=given)

    def begin(self, length: int, name: str = "kiosk.swu") -> HttpResponse:
        told = f"filename {base64.b64encode(name.encode()).decode()}"
        answer = self.send("POST", "/artifacts/uploads/", Upload_Length=str(length), Upload_Metadata=told)
        self.path = answer.get("Location", "")
        return answer

    def append(self, offset: int, data: bytes) -> HttpResponse:
        kind = "application/offset+octet-stream"
        return self.send("PATCH", self.path, data, Content_Type=kind, Upload_Offset=str(offset))

    def describe(self, manifest: Manifest | str, *signatures: Signature) -> HttpResponse:
        text = manifest if isinstance(manifest, str) else manifest.text
        signed = signatures or (sign(text),)
        body = {"manifest": text, "signatures": [{"key": one.key, "signature": one.signature} for one in signed]}
        return self.send("PUT", f"{self.path}/manifest", json.dumps(body).encode())

    def upload(self, content: bytes = CONTENT, **manifest: object) -> dict[str, str]:
        """Upload a whole file, and let the clock hash it. Returns the failed checks with their texts."""
        self.begin(len(content))
        self.append(0, content)
        self.describe(make_manifest(content, **manifest))
        return self.failed()

    def failed(self) -> dict[str, str]:
        while self.row.offset == self.row.length > self.row.hashed:  # a pass has little time
            uploads.advance(later(0))
        checks = self.send("GET", self.path).json()["checks"]
        return {one["name"]: one["text"] for one in checks if not one["is_passed"]}

    @property
    def row(self) -> ArtifactUpload:
        return ArtifactUpload.objects.get(key=self.path.rpartition("/")[2])
