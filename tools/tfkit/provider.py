"""A Terraform provider that has a schema and nothing else.

Terraform starts this file as it would start terraform-provider-aws. It supports `validate`, and `test` with
`mock_provider`, and refuses to plan or read for real: a check can never reach a cloud account.

Usage: python -m tools.tfkit.provider SCHEMA, where SCHEMA was written by wire.py and has a SCHEMA.computed.json beside
it. It runs in the environment that toolchain.py makes.
"""

import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent import futures
from pathlib import Path

import grpc
import msgpack

from tools.tfkit import wire

EMPTY_ANSWERS = {
    "ValidateProviderConfig",
    "ValidateEphemeralResourceConfig",
    "ConfigureProvider",
    "GetResourceIdentitySchemas",
    "GetFunctions",
    "StopProvider",
    "Shutdown",
}
"""All of these have a response whose empty form means "no objections"."""

REFUSAL = (
    "tfkit serves schemas of providers only and cannot {method}. "
    'Declare mock_provider for this provider in the test file, or "override_data" '
    "for a data source whose values the configuration depends on."
)

type Computed = dict[str, dict[str, list[str]]]
"""Terraform leaves this check to the provider: {section: {type: attributes that nobody may set}}."""

VALIDATIONS = {"ValidateResourceConfig": "resource_schemas", "ValidateDataResourceConfig": "data_source_schemas"}


class SchemaService(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    """Answers every call by the last part of its name."""

    def __init__(self, schema: bytes, computed: Computed, stop: threading.Event) -> None:
        self.answers = dict.fromkeys(EMPTY_ANSWERS, b"") | {"GetProviderSchema": schema}
        self.computed = computed
        self.stop = stop

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        service, method = handler_call_details.method.rsplit("/", 1)
        if method in self.answers or service.endswith("Provider"):
            return grpc.unary_unary_rpc_method_handler(self.handler(method))
        return None  # go-plugin's optional services; it works without them

    def handler(self, method: str) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        """A function from the bytes of a request to those of a response."""

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            if method == "Shutdown":
                self.stop.set()
            if method in VALIDATIONS:
                return refuse_computed(request, self.computed[VALIDATIONS[method]])
            if method not in self.answers:
                # UNIMPLEMENTED would make Terraform report a version mismatch instead.
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, REFUSAL.format(method=method))
            return self.answers[method]

        return answer


def refuse_computed(request: bytes, computed: dict[str, list[str]]) -> bytes:
    """Object to a configuration that sets attributes that only the provider may set."""
    fields = wire.read(request)
    config = msgpack.unpackb(wire.read(fields[2])[1], strict_map_key=False)
    return wire.diagnostics(
        ("Value for unconfigurable attribute", f'The provider decides "{name}".', name)
        for name in computed.get(fields[1].decode(), [])
        if config.get(name) is not None
    )


def serve(schema: bytes, computed: Computed) -> None:
    """Listen on a private socket, announce it on standard output, wait for the end."""
    stop = threading.Event()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    server.add_generic_rpc_handlers((SchemaService(schema, computed, stop),))
    with tempfile.TemporaryDirectory(prefix="tfkit-") as folder:
        socket = Path(folder, "provider.sock")
        server.add_insecure_port(f"unix:{socket}")
        server.start()
        # go-plugin's handshake: its own version, the Terraform protocol, then the address.
        print(f"1|6|unix|{socket}|grpc", flush=True)
        stop.wait()
        server.stop(grace=0.2).wait()


def main() -> None:
    if wire.MAGIC_COOKIE not in os.environ:
        sys.exit("This is a plugin of Terraform, which starts it; you do not.")
    schema = Path(sys.argv[1])
    serve(schema.read_bytes(), json.loads(schema.with_suffix(".computed.json").read_text()))


if __name__ == "__main__":
    main()
