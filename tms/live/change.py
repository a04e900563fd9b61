from typing import Any

from msgspec import Struct, msgpack

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

    def __or__(self, other: "Change") -> "Change":
        sets = {name: getattr(self, name) | getattr(other, name) for name in self.__struct_fields__}
        merged = Change(**sets)
        return merged if merged.size <= MAX_IDS else merged.summed_up()

    @property
    def size(self) -> int:
        return len(self.terminals) + len(self.alerts)

    def summed_up(self) -> "Change":
        """Without the long lists; what must not be lost (commands, sessions, revocations) stays."""
        return Change(
            commands=self.commands,
            sessions=self.sessions,
            revoked=self.revoked,
            people=self.people,
            rules=self.rules,
            everything=True,
        )


NOTHING = Change()


class Message(Struct, frozen=True, array_like=True):
    """One message of the feed. Each publisher numbers its own from 1; a heartbeat carries `NOTHING`."""

    publisher: str
    number: int
    sent_at: float
    """Seconds since the epoch, the publisher's clock."""
    change: Change = NOTHING


_decoder = msgpack.Decoder(Message)


def pack(message: Message) -> bytes:
    return msgpack.encode(message)


def unpack(data: Any) -> Message:
    return _decoder.decode(data)
