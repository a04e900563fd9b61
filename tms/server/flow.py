"""The limits of a server process, and the counters of what it did because of them."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from tms.protocol.limits import FRAME_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The limits of one server process. Durations are seconds, sizes are bytes."""

    # Output

    max_unwritten: int = 1024 * 1024
    """A socket with more unwritten output is dropped. Checked before each write, so one message may be larger."""

    max_blocked: float = 10.0
    """A reader that accepts nothing for this long, while output is pending, is dropped."""

    kernel_sndbuf: int = 128 * 1024
    """SO_SNDBUF of each socket; by default the kernel buffers up to 4 MiB for each slow reader. 0: unset."""

    # Input

    queue_high: int = 32
    """Reading stops at this many unprocessed messages."""

    queue_low: int = 8
    """Reading resumes when at most this many are left."""

    soft_message: int = FRAME_BYTES
    """A larger message is closed with 4413."""

    hard_message: int = 2 * FRAME_BYTES
    """A larger message is closed with 1009 and never received."""

    max_body: int = 24 * 1024 * 1024
    """A request with a larger body is refused with 413. The largest that TMS takes is an import of 20 MB."""

    # Time

    ping_interval: float = 20.0
    """A socket that was silent for this long is sent a ping."""

    ping_timeout: float = 15.0
    """A link without a byte for this long after a ping is half-open, and dropped."""

    request_timeout: float = 30.0
    """An HTTP connection without a complete request (headers and body) for this long is dropped."""

    keep_alive: float = 310.0
    """An idle connection is dropped this long after a response. Longer than a proxy in front keeps it, which would
    otherwise write into a connection that we close: nginx 60 s, the load balancer on AWS 300 s.
    """

    handshake_timeout: float = 5.0
    """The application's time to accept or deny; then the upgrade is refused with 503. Many at once take their turns."""

    close_timeout: float = 3.0
    """The peer's time to answer a close frame."""

    linger: float = 10.0
    """The application's time to end after its connection ended; then it is cancelled."""

    # The acceptor

    max_connections: int | None = None
    """Upgrades are rejected with 503 while this many connections are open. None: what the descriptor limit allows."""

    spare_connections: int = 64
    """Connections above `max_connections`, for health checks and pages. Above these, listening stops."""

    spare_descriptors: int = 200
    """Descriptors for everything else: files, the database, Redis, threads."""

    max_handshakes: int = 256
    """Accepting pauses while this many handshakes wait for the application: clients time out in a longer queue."""

    backlog: int = 256
    """Connections that the kernel queues meanwhile; about as many as `max_handshakes`."""

    retry_after: int = 10
    """Retry-After of the server's own 503."""

    # The end

    hook_timeout: float = 5.0
    """Time for each of `on_drain` and `on_stop`."""

    drain_spread: float = 20.0
    """Closes are spread over this time, so that clients do not all reconnect at once."""

    exit_timeout: float = 5.0
    """Time for cancelled applications at the end of the process."""

    # Memory

    gc_threshold: tuple[int, int, int] | None = (50_000, 50, 100)
    """Rare collections, because a full one stops a loaded process for a second. Closed sockets leave no cycles behind.
    """

    gc_young_interval: float = 60.0
    """Interval of collections of the young generation without many allocations, in seconds. 0: never."""

    gc_freeze: bool = True
    """The garbage collector ignores what is loaded before the first connection."""


type Event = Literal[
    "slow_bytes",  # dropped: more than max_unwritten bytes unwritten
    "slow_time",  # dropped: accepted nothing for max_blocked
    "request_timeout",  # dropped: an HTTP connection without a complete request
    "ping_timeout",  # dropped: half-open
    "too_big",  # closed with 4413 or 1009
    "input_paused",  # reading stopped until the application caught up, or had answered the handshake
    "send_waited",  # a send that waited for its reader
    "refused_full",  # upgrade refused with 503: max_connections
    "refused_slow",  # upgrade refused with 503: the application did not answer it in time
    "refused_draining",  # upgrade refused with 503: the process is ending
    "listening_stopped",  # spare_connections used up
    "drained",  # closed by the drain
    "drain_aborted",  # did not answer the drain's close frame
]

type Counters = Counter[Event]
