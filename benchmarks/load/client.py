from picows import WSListener, WSTransport


class Client(WSListener):
    """One end of a WebSocket that knows whether it is open."""

    transport: WSTransport | None = None

    @property
    def is_open(self) -> bool:
        return self.transport is not None

    def leave(self) -> None:
        if self.transport is not None:
            self.transport.disconnect()

    def break_off(self) -> None:
        """As when the network is gone: no word of goodbye."""
        if self.transport is not None:
            self.transport.disconnect(graceful=False)

    # What picows calls

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.transport = None
