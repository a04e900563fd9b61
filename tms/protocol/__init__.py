"""The terminal link, version 1: frames, codec, limits, errors and close codes.

JSON-RPC 2.0 over WebSocket text frames, subprotocol `tms.v1`. The server's side; pure Python: no Django,
no I/O. `docs/asyncapi.yaml` describes it for integrators, and for the agent, which has its own code.
"""

SUBPROTOCOL = "tms.v1"
BEARER_PREFIX = "bearer."
"""A client that cannot set headers offers `bearer.<uid>.<secret>` as a second subprotocol."""
