"""What autobahn and daphne keep of a handshake as long as the socket is open: a third of its memory."""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import Any

from autobahn.wamp.types import TransportDetails
from autobahn.websocket.protocol import TrafficStats
from autobahn.websocket.utf8validator import Utf8Validator

from tms.server.daphne.handshake import DaphneHandshake

INITIAL: dict[str, Any] = (
    dict.fromkeys(
        (
            "wasMaxFramePayloadSizeExceeded",
            "wasMaxMessagePayloadSizeExceeded",
            "closedByMe",
            "failedByMe",
            "droppedByMe",
            "wasClean",
            "wasServerConnectionDropTimeout",
            "wasOpenHandshakeTimeout",
            "wasCloseHandshakeTimeout",
            "wasServingFlashSocketPolicyFile",
            "inside_message",
        ),
        False,
    )
    | dict.fromkeys(
        (
            "wasNotCleanReason",
            "localCloseCode",
            "localCloseReason",
            "remoteCloseCode",
            "remoteCloseReason",
            "openHandshakeTimeoutCall",
            "closeHandshakeTimeoutCall",
            "autoPingTimeoutCall",
            "autoPingPending",
            "autoPingPendingCall",
            "autoPingPendingSent",
            "trackedTimings",
            "_perMessageCompress",
            "current_frame",
        )
    )
    | {"websocket_version": 13, "connected": 1}
)
"""State that autobahn gives each socket, and that nearly every open one still has: attributes of the class instead."""

OF_HANDSHAKE = frozenset(
    {
        # The request and the answer
        "deadline",
        "_raw_query_string",
        "_wskey",
        "http_headers",
        "http_request_data",
        "http_request_host",
        "http_request_params",
        "http_request_path",
        "http_request_uri",
        "http_response_data",
        "http_status_line",
        "request",
        "websocket_extensions",
        "websocket_extensions_in_use",
        "websocket_origin",
        "websocket_protocol_in_use",
        "websocket_protocols",
        # daphne's scope is built from these; the last two are for its own check of timeouts
        "application_deferred",
        "clean_headers",
        "client_addr",
        "path",
        "protocol_to_accept",
        "root_path",
        "server_addr",
        "last_ping",
        "socket_opened",
        # For listeners of autobahn's events, and for its pings and its queue of output, all of which TMS replaces
        "_results",
        "_transport_details",
        "_valid_events",
        "autoPingPendingSeq",
        "is_closed",
        "is_open",
        "peer",
        "send_queue",
        "send_state",
        "trafficStats",
        "triggered",
        "utf8validator",
    }
)


class Unheard:
    """In place of a Deferred that nobody has a callback on."""

    def callback(self, result: object) -> None:
        """autobahn reports that the socket opened or closed."""


class OpenState(DaphneHandshake):
    """The state of an open socket: what all have in common is in the class."""

    is_open: Any = Unheard()
    is_closed: Any = is_open
    trafficStats = TrafficStats()  # counts for all; nobody reads it
    send_queue: deque[Any] = deque()
    send_state = autoPingPendingSeq = 0
    triggered = False
    state = DaphneHandshake.STATE_CONNECTING
    data = b""
    peer = ""
    _transport_details = TransportDetails()

    def __init__(self) -> None:
        """Autobahn's own creates what is above for each connection, and so does its `connectionMade`."""

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)

    @cached_property
    def utf8validator(self) -> Utf8Validator:
        """Created with the first message that autobahn reads."""
        return Utf8Validator()

    def release_handshake(self) -> None:
        """Keep only the state that differs from that of the class, in a dictionary of that size."""
        common = type(self)
        self.__dict__ = {
            name: value
            for name, value in vars(self).items()
            if name not in OF_HANDSHAKE and getattr(common, name, self) is not value
        }
