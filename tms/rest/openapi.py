"""Makes of ninja's description one that says what is special here."""

from typing import Any

from tms.rest.problems import CONTENT_TYPE


def described(schema: dict[str, Any]) -> dict[str, Any]:
    for operations in schema["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    answer["content"] = {CONTENT_TYPE: answer["content"].pop("application/json")}
    return schema
