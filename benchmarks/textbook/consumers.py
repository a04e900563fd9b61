"""Terminals and boards the way the Channels tutorials do it: one save and one group_send a message."""

import hashlib
import hmac
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.db import transaction
from django.utils import timezone

from benchmarks.textbook.models import Report, Terminal

BOARDS = "boards"


class TerminalConsumer(AsyncJsonWebsocketConsumer):
    terminal: Terminal | None = None

    async def connect(self) -> None:
        self.terminal = await self.find_terminal(dict(self.scope["headers"]).get(b"authorization", b"").decode())
        if self.terminal is None:
            await self.close()
            return
        await self.channel_layer.group_add(f"terminal-{self.terminal.uid}", self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        if self.terminal is None:
            return
        await self.channel_layer.group_discard(f"terminal-{self.terminal.uid}", self.channel_name)
        await self.save_terminal(online=False)
        await self.update_boards()

    async def receive_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        if content["type"] == "boot":
            await self.save_terminal(online=True, boot_id=content["boot_id"], last_seen_at=timezone.now())
            await self.send_json({"type": "booted"})
        else:
            await self.save_report(content)
            await self.send_json({"type": "ack", "seq": content["seq"]})
        await self.update_boards()

    async def update_boards(self) -> None:
        terminal = self.terminal
        await self.channel_layer.group_send(
            BOARDS,
            {
                "type": "terminal.changed",
                "uid": terminal.uid,
                "online": terminal.online,
                "status": terminal.status,
                "metrics": terminal.metrics,
            },
        )

    @database_sync_to_async
    def find_terminal(self, authorization: str) -> Terminal | None:
        uid, _, secret = authorization.removeprefix("Bearer ").partition(".")
        terminal = Terminal.objects.filter(uid=uid).first()
        digest = hashlib.sha256(secret.encode()).hexdigest()
        return terminal if terminal and hmac.compare_digest(terminal.digest, digest) else None

    @database_sync_to_async
    def save_terminal(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self.terminal, name, value)
        self.terminal.save(update_fields=values)

    @database_sync_to_async
    @transaction.atomic
    def save_report(self, content: dict[str, Any]) -> None:
        terminal, status, metrics = self.terminal, content["status"], content["metrics"]
        Report.objects.create(terminal=terminal, seq=content["seq"], at=content["at"], status=status, metrics=metrics)
        terminal.last_seen_at, terminal.status, terminal.metrics = timezone.now(), status, metrics
        terminal.save(update_fields=("last_seen_at", "status", "metrics"))


class BoardConsumer(AsyncJsonWebsocketConsumer):
    async def connect(self) -> None:
        if not self.scope["user"].is_authenticated:
            await self.close()
            return
        await self.channel_layer.group_add(BOARDS, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(BOARDS, self.channel_name)

    async def terminal_changed(self, event: dict[str, Any]) -> None:
        await self.send_json(event)
