"""What ninja does not document by itself."""

from collections.abc import Iterable
from http.client import responses
from typing import Any

from ninja.openapi.schema import REF_TEMPLATE

from tms.rest_base.links import add_links
from tms.rest_base.problems import CONTENT_TYPE
from tms.rest_base.schemas import ProblemSchema


def refusals(statuses: Iterable[int]) -> dict[int, Any]:
    """The problems with these statuses as responses of an operation. They are added here, because ninja would make a
    class for each.
    """
    content = {CONTENT_TYPE: {"schema": {"$ref": REF_TEMPLATE.format(model=ProblemSchema.__name__)}}}
    return {status: {"description": responses[status], "content": content} for status in statuses}


def describe(schema: dict[str, Any]) -> dict[str, Any]:
    problem = ProblemSchema.model_json_schema(ref_template=REF_TEMPLATE)
    schema["components"]["schemas"] |= problem.pop("$defs") | {ProblemSchema.__name__: problem}
    add_links(schema)
    return schema
