from typing import Any

from msgspec import Struct, msgpack

from tms.feed.viewers import Viewings

MAX_IDS = 5_000
"""Above so many changed rows a message names none of them: whoever listens reads again."""


class Change(Struct, frozen=True, gc=False, array_like=True):
    """What one transaction changed. Ids only: the database is the truth, the feed a hint."""

    terminals: frozenset[int] = frozenset()
    """Terminals with a new report, presence or status."""
    presence: frozenset[int] = frozenset()
    """Those among them whose presence changed."""
    alerts: frozenset[int] = frozenset()
    commands: frozenset[int] = frozenset()
    """Terminals with a command that waits to be sent, or that was answered."""
    sessions: frozenset[tuple[int, int]] = frozenset()
    """(terminal, session) that began: any older session of that terminal must close."""
    revoked: frozenset[int] = frozenset()
    """Credentials that were revoked."""
    people: frozenset[int] = frozenset()
    """People whose sign-in or rights changed."""
    rules: bool = False
    everything: bool = False
    """More changed than could be named: read again."""
    nodes: bool = False
    """A node started, drains, ended or was lost."""
    incidents: frozenset[int] = frozenset()
    viewings: frozenset[str] = frozenset()
    """Alerts and incidents, by element, that somebody began or ceased to look at. Told by the hub, never published."""
    status: frozenset[int] = frozenset()
    """Those of `terminals` whose status changed."""

    @property
    def is_urgent(self) -> bool:
        """Whether it is more than new readings: boards show it at once."""
        return self != Change(terminals=self.terminals)

    def __or__(self, other: "Change") -> "Change":
        sets = {name: getattr(self, name) | getattr(other, name) for name in self.__struct_fields__}
        return Change(**sets | {"sessions": _newest(sets["sessions"])}).bounded()

    @property
    def size(self) -> int:
        return max(len(self.terminals), len(self.presence)) + len(self.alerts)

    def bounded(self) -> "Change":
        """As it is, or summed up when it names too much."""
        return self if self.size <= MAX_IDS else self.summed_up()

    def summed_up(self) -> "Change":
        """Without the long lists; what must not be lost (commands, sessions, revocations) stays."""
        return Change(
            commands=self.commands,
            sessions=self.sessions,
            revoked=self.revoked,
            people=self.people,
            rules=self.rules,
            everything=True,
            nodes=self.nodes,
            incidents=self.incidents,
            viewings=self.viewings,
        )


def _newest(sessions: frozenset[tuple[int, int]]) -> frozenset[tuple[int, int]]:
    """One a terminal, so that what is kept while nobody can be told does not grow with each boot."""
    newest: dict[int, int] = {}
    for terminal_id, number in sessions:
        if newest.get(terminal_id, 0) < number:
            newest[terminal_id] = number
    return frozenset(newest.items())


NOTHING = Change()


class FeedMessage(Struct, frozen=True, array_like=True):
    """One message of the feed. Each publisher numbers its own from 1; a heartbeat carries `NOTHING`."""

    publisher: str
    number: int
    sent_at: float
    """Seconds since the epoch, the publisher's clock."""
    change: Change = NOTHING
    viewings: Viewings | None = None
    """Who is at which alert or incident before the boards of this publisher; None when that is not said."""


_decoder = msgpack.Decoder(FeedMessage)


def pack(message: FeedMessage) -> bytes:
    return msgpack.encode(message)


def unpack(data: Any) -> FeedMessage:
    return _decoder.decode(data)
