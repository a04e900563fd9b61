"""Calls of the REST API that schemathesis made up."""

import json
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from schemathesis import Case

from tests.support.rest import ApiClient


def call(caller: ApiClient, case: Case, path: str) -> HttpResponse:
    """The answer to a case at this path, as the person of the caller's token."""
    sent = case.as_transport_kwargs(base_url="http://testserver")
    body = json.dumps(sent["json"]) if "json" in sent else sent.get("data") or b""
    query = urlencode(sent.get("params") or {}, doseq=True, errors="surrogatepass")
    headers = {name: str(value) for name, value in (case.headers or {}).items() if name != "Authorization"}
    return caller.send(case.method, f"{path}?{query}" if query else path, as_bytes(body), **headers)


def as_bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else str(body).encode(errors="surrogatepass")
