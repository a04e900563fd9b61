"""Answers to requests of TMS. They outlive their link, and with a journal the process."""

import hashlib
import json
from collections import deque
from pathlib import Path

from tms_agent.protocol.downlink import CommandCall
from tms_agent.protocol.frames import RequestId
from tms_agent.storage.command_journal import CommandJournal

MOST = 100
"""How many answers wait in memory. TMS gives a terminal few commands at a time."""


class Answers:
    """An answer waits until it is sent, and is kept until TMS has it: a new link sends it again."""

    def __init__(self, journal: CommandJournal | None = None) -> None:
        self._journal = journal
        self._kept: dict[RequestId, bytes] = {}
        self._waiting: deque[RequestId] = deque()
        for stored in journal.unconfirmed()[-MOST:] if journal else ():
            if stored.answer:
                self._kept[json.loads(stored.id)] = stored.answer

    def unfinished(self) -> list[tuple[RequestId, Path]]:
        """The commands that did not end before the agent did, and the files of their results."""
        journal = self._journal
        return [(json.loads(each.id), journal.result_file(each.id)) for each in journal.unfinished()] if journal else []

    def is_known(self, call: CommandCall) -> bool:
        """Whether the command was begun before. If it is over, its answer is sent again."""
        stored = self._journal.find(_key(call.id), _content(call)) if self._journal else None
        if stored and stored.answer:
            self._add(call.id, stored.answer)
        return stored is not None

    def begin(self, call: CommandCall) -> Path | None:
        """Remember it before it runs. Returns the file of its result."""
        self._kept.pop(call.id, None)  # of an id that a restored TMS uses again
        return self._journal.begin(_key(call.id), _content(call)) if self._journal else None

    def put(self, request_id: RequestId, text: bytes) -> None:
        if self._journal:
            self._journal.finish(_key(request_id), text)
        self._add(request_id, text)

    def forget(self, request_id: RequestId) -> None:
        """The answer need not be sent again, unless its command comes again."""
        self._kept.pop(request_id, None)
        if self._journal:
            self._journal.confirm(_key(request_id))

    # What a link sends

    def begin_link(self) -> None:
        self._waiting = deque(self._kept)

    def next(self) -> tuple[RequestId, bytes] | None:
        while self._waiting:
            request_id = self._waiting.popleft()
            if text := self._kept.get(request_id):
                return request_id, text
        return None

    def _add(self, request_id: RequestId, text: bytes) -> None:
        if request_id not in self._waiting:
            self._waiting.append(request_id)
        self._kept[request_id] = text
        if len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]


def _key(request_id: RequestId) -> str:
    """1 and "1" are different ids."""
    return json.dumps(request_id)


def _content(call: CommandCall) -> str:
    """Identifies what it does; the same command may come with another deadline or other addresses for its files."""
    text = json.dumps([call.params.name, call.params.args], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
