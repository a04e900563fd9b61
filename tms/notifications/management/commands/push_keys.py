"""`manage.py push_keys` shows the keys by which push services recognise TMS, and makes new ones."""

from argparse import ArgumentParser

from django.utils import timezone

from tms.lib.management import NoChecksCommand
from tms.notifications.models.device import PushKey
from tms.notifications.push import browsers, keys


class Command(NoChecksCommand):
    help = "Shows the key pairs by which push services recognise TMS, and makes new ones."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rotate", action="store_true", help="new browsers get a new key; others keep theirs")
        parser.add_argument(
            "--drop-old", action="store_true", help="delete older keys and their browsers, after a key was disclosed"
        )

    def handle(self, *args: object, rotate: bool, drop_old: bool, **options: object) -> None:
        at = timezone.now()
        if rotate:
            keys.rotate(at=at)
        if drop_old:
            self.stdout.write(f"{browsers.remove_of_old_keys(at=at)} browsers removed")
        keys.current(at=at)
        for key in PushKey.objects.order_by("-pk"):
            kind = "current" if key.is_current else "old"
            self.stdout.write(f"{key.public_key} {kind}, {key.devices.count()} browsers, {key.created_at:%Y-%m-%d}")
