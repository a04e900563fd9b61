from dataclasses import dataclass

from tms.protocol.limits import FRAME_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The limits of one server process. Durations are seconds, sizes are bytes."""

    # Output

    max_unwritten: int = 1024 * 1024
    """A socket with more unwritten output is dropped. Checked before each write, so one message may be larger."""

    max_blocked: float = 10.0
    """A reader that took nothing for so long, while something waits for it, is dropped."""

    kernel_sndbuf: int = 128 * 1024
    """SO_SNDBUF of each socket; without it the kernel hides up to 4 MiB for each reader that stopped. 0: unset."""

    # Input

    queue_high: int = 32
    """Reading stops at so many messages that the application has not taken yet."""

    queue_low: int = 8
    """Reading goes on when no more than so many are left."""

    soft_message: int = FRAME_BYTES
    """A larger message is closed with 4413."""

    hard_message: int = 2 * FRAME_BYTES
    """A larger message is closed with 1009 and never received."""

    # Time

    ping_interval: float = 20.0
    """A socket that was silent for so long is sent a ping."""

    ping_timeout: float = 15.0
    """Without a byte for so long after a ping, the link is half-open and dropped."""

    request_timeout: float = 30.0
    """An HTTP connection without a complete request for so long, headers and body, is dropped."""

    keep_alive: float = 310.0
    """One that is idle after an answer is dropped then. Longer than whoever is in front keeps it, or it writes into a
    connection that we close: nginx 60 s, the load balancer on AWS 300 s.
    """

    handshake_timeout: float = 5.0
    """The application's time to accept or deny."""

    close_timeout: float = 3.0
    """The peer's time to answer a close frame."""

    linger: float = 10.0
    """The application's time to end after its connection ended; then it is cancelled."""

    # The acceptor

    max_connections: int | None = None
    """While so many connections are open, upgrades are refused with 503. None: what the descriptor limit allows."""

    spare_connections: int = 64
    """Connections above `max_connections`, for health checks and pages. Above these nothing listens any more."""

    spare_descriptors: int = 200
    """Descriptors that are no connections: files, the database, Redis, threads."""

    max_handshakes: int = 256
    """Accepting pauses while so many handshakes wait for the application: a storm must not outlive its clients."""

    backlog: int = 256
    """Connections that the kernel holds for us meanwhile; about as many as `max_handshakes`."""

    retry_after: int = 10
    """Retry-After of the server's own 503."""

    # The end

    hook_timeout: float = 5.0
    """Time for each of `on_drain` and `on_stop`."""

    drain_spread: float = 20.0
    """Closes are spread over so long, or all clients come back at once."""

    exit_timeout: float = 5.0
    """Time for applications that were cancelled at the end of the process."""

    # Memory

    gc_threshold: tuple[int, int, int] | None = (50_000, 50, 100)
    """Rare collections: a full one stops a loaded process for a second. Closed sockets leave no cycles behind."""

    gc_young_interval: float = 60.0
    """How often what is young is collected though there is little of it; milliseconds. 0: never."""

    gc_freeze: bool = True
    """The garbage collector ignores what is loaded before the first connection."""
