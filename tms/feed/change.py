"""The messages of the feed, and their encoding."""

from typing import Any

from msgspec import Struct, msgpack

from tms.feed.viewers import Viewings

MAX_IDS = 5_000
"""A message with more changed rows than this names none of them: listeners read everything again."""


class Change(Struct, frozen=True, gc=False, array_like=True):
    """What one transaction changed. Contains ids only: the database is authoritative, the feed a hint."""

    terminals: frozenset[int] = frozenset()
    """Terminals with a new report, presence or status."""
    presence: frozenset[int] = frozenset()
    """The `terminals` whose presence changed."""
    alerts: frozenset[int] = frozenset()
    commands: frozenset[int] = frozenset()
    """Terminals with a new command to send, or an answered one."""
    sessions: frozenset[tuple[int, int]] = frozenset()
    """(terminal, session) of new sessions: older sessions of that terminal must close."""
    revoked: frozenset[int] = frozenset()
    """Revoked credentials."""
    people: frozenset[int] = frozenset()
    """People whose sign-in or permissions changed."""
    rules: bool = False
    everything: bool = False
    """Too many changes to list: read everything again."""
    nodes: bool = False
    """A node started, drained, stopped or was lost."""
    incidents: frozenset[int] = frozenset()
    viewings: frozenset[str] = frozenset()
    """Element ids of alerts and incidents whose viewers changed. Set by the hub, never published."""
    status: frozenset[int] = frozenset()
    """The `terminals` whose status changed."""
    approvals: bool = False
    """A request for approval was made or decided."""
    screens: frozenset[int] = frozenset()
    """Wall screens that were paired, changed or revoked."""
    moved: frozenset[int] = frozenset()
    """The `revoked` credentials that stay valid, for another terminal: their devices connect again at once."""
    rollouts: frozenset[int] = frozenset()
    """Rollouts whose state, waves, items or evidence changed."""

    @property
    def is_urgent(self) -> bool:
        """Whether it is more than new readings: boards show it at once."""
        return self != Change(terminals=self.terminals)

    @property
    def is_more_than_status(self) -> bool:
        """Whether it is more than new readings and new statuses."""
        return self != Change(terminals=self.terminals, status=self.status)

    def __or__(self, other: "Change") -> "Change":
        sets = {name: getattr(self, name) | getattr(other, name) for name in self.__struct_fields__}
        return Change(**sets | {"sessions": _newest(sets["sessions"])}).bounded()

    @property
    def size(self) -> int:
        return max(len(self.terminals), len(self.presence)) + len(self.alerts)

    def bounded(self) -> "Change":
        """Itself, or `everything` if it lists too many rows."""
        return self if self.size <= MAX_IDS else self.summed_up()

    def summed_up(self) -> "Change":
        """The change without its long lists. It keeps commands, sessions and revocations, which must not be lost."""
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
            approvals=self.approvals,
            screens=self.screens,
            moved=self.moved,
            rollouts=self.rollouts,
        )


def _newest(sessions: frozenset[tuple[int, int]]) -> frozenset[tuple[int, int]]:
    """One per terminal, so that pending changes do not grow with each boot while Redis is unavailable."""
    newest: dict[int, int] = {}
    for terminal_id, number in sessions:
        if newest.get(terminal_id, 0) < number:
            newest[terminal_id] = number
    return frozenset(newest.items())


NOTHING = Change()


class FeedMessage(Struct, frozen=True, array_like=True):
    """One message of the feed. Each publisher numbers its messages from 1; a heartbeat carries `NOTHING`."""

    publisher: str
    number: int
    sent_at: float
    """Seconds since the epoch, by the publisher's clock."""
    change: Change = NOTHING
    viewings: Viewings | None = None
    """Viewings on the boards of this publisher; None if unchanged since the last message that had them."""
    committed_at: float = 0.0
    """When the oldest part of the change was committed, by the database clock; 0 if nothing was."""


_decoder = msgpack.Decoder(FeedMessage)


def pack(message: FeedMessage) -> bytes:
    return msgpack.encode(message)


def unpack(data: Any) -> FeedMessage:
    return _decoder.decode(data)
