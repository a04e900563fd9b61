"""`manage.py nodes` lists the nodes, and how many terminals each serves."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.utils import timezone

from tms.fleet.models.node import Node
from tms.lib.management import NoChecksCommand

HEAD = ("node", "state", "links", "last heartbeat", "started", "host", "process")


class Command(NoChecksCommand):
    help = "Lists the server processes of this TMS: state, links, last heartbeat."

    def handle(self, *args: object, **options: object) -> None:
        rows = [HEAD, *(cells(node, at=timezone.now()) for node in Node.objects.all())]
        if len(rows) == 1:
            self.stdout.write("No node has joined yet; start one with `manage.py serve`.")
            return
        for line in aligned(rows):
            self.stdout.write(line)


def cells(node: Node, *, at: datetime) -> tuple[str, ...]:
    heartbeat = f"{max(0.0, (at - node.heartbeat_at).total_seconds()):.0f} s ago"
    started = timezone.localtime(node.started_at).isoformat(" ", "seconds")
    return node.name, node.state, f"{node.links:,}", heartbeat, started, node.host, str(node.pid)


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
