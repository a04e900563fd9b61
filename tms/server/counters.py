"""The counters of the server."""

from collections import Counter
from typing import Literal

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
