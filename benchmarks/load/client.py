"""The base of clients that keep a WebSocket."""

from picows import WSListener, WSTransport


class Client(WSListener):
    """One end of a WebSocket that tracks whether it is open."""

    transport: WSTransport | None = None

    @property
    def is_open(self) -> bool:
        return self.transport is not None

    def leave(self) -> None:
        if self.transport is not None:
            self.transport.disconnect()

    def drop(self) -> None:
        """Simulates a network failure: no close frame."""
        if self.transport is not None:
            self.transport.disconnect(graceful=False)

    # Callbacks of picows

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.transport = None
