"""The terminal link, version 1: frames, codec, limits, errors and close codes.

JSON-RPC 2.0 over WebSocket text frames, subprotocol `tms.v1`. Pure Python: no Django, no I/O; the
server and the agent import the same module. `docs/asyncapi.yaml` describes it for integrators.
"""

SUBPROTOCOL = "tms.v1"
BEARER_PREFIX = "bearer."
"""A client that cannot set headers offers `bearer.<uid>.<secret>` as a second subprotocol."""
