"""Links of the OpenAPI description: from what an operation creates to the operations on it.

They follow from the paths: what `POST /sites` returns is named by the `{code}` of `/sites/{code}/…`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

OF_KEY = {"pk": "id"}
"""The field of the response that has a parameter of a path, where it has another name."""


def add_links(schema: dict[str, Any]) -> None:
    """Add them to the responses that create something."""
    for path, operations in schema["paths"].items():
        created = operations.get("post", {}).get("responses", {}).get(201)
        if created and (links := dict(_links(schema, path, _fields(schema, created)))):
            created["links"] = links


def _fields(schema: Mapping[str, Any], response: Mapping[str, Any]) -> Mapping[str, Any]:
    [content] = response["content"].values()
    name = content["schema"].get("$ref", "").rpartition("/")[2]
    fields: Mapping[str, Any] = schema["components"]["schemas"].get(name, {}).get("properties", {})
    return fields


def _links(schema: Mapping[str, Any], path: str, fields: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for other, operations in schema["paths"].items():
        found = re.fullmatch(re.escape(path) + r"/{(\w+)}(/[^{]*)?", other)
        if found is None or (field := OF_KEY.get(found[1], found[1])) not in fields:
            continue
        parameters = {name: f"$request.path.{name}" for name in re.findall(r"{(\w+)}", path)}
        parameters[found[1]] = f"$response.body#/{field}"
        for operation in operations.values():
            name = operation["operationId"]
            yield name, {"operationId": name, "parameters": parameters}
