"""Orders of updates, and what terminals get."""

from datetime import timedelta

import pytest

from tests.support.artifacts import KEY_NAME, make_artifact
from tests.support.builders import AT, later
from tms.artifacts import delivery
from tms.artifacts.manifest import Manifest, Signature, signers
from tms.artifacts.models import Artifact
from tms.commands import services as commands
from tms.commands.models import Command

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def ordered(artifact: Artifact, *terminals: int, **more: object) -> dict[int, Command]:
    options = {"by": None, "at": AT, "answer_within_s": 7200, "deliver_within_s": 60} | more
    return delivery.order(terminals, artifact, **options)


def test_an_order_becomes_a_frame_with_the_signed_manifest(fleet, public_keys, settings):
    settings.DOWNLOAD_BYTES_S = 500_000
    terminal, artifact = fleet.terminal(), make_artifact()
    ordered(artifact, terminal.pk)

    (sent,) = commands.dequeue({terminal.pk: 1}, at=later(5))
    frame = delivery.frame_of(sent)

    assert (frame.deadline, frame.max_bytes_s) == (later(7205), 500_000)
    signatures = [Signature(one.key, one.signature) for one in frame.signatures]
    assert signers(frame.manifest, signatures, public_keys) == [KEY_NAME]
    assert Manifest.read(frame.manifest).version == "4.8.3"
    assert frame.url.startswith("/download/")


def test_a_withdrawn_artifact_is_not_ordered(fleet):
    artifact = make_artifact(withdrawn_at=AT)

    with pytest.raises(delivery.Withdrawn, match=r"kiosk-firmware 4\.8\.3 was withdrawn"):
        ordered(artifact, fleet.terminal().pk)

    assert not Command.objects.exists()


def test_the_instant_of_a_manifest_may_have_any_zone():
    expires = AT.astimezone(tz=None) + timedelta(days=1)
    assert make_artifact(expires=expires).manifest.count("Z") == 1
