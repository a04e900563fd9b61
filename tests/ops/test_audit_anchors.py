"""Anchors of the audit trail: in the log, and in a bucket where nobody can delete them."""

from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.support.builders import AT
from tests.support.servers.aws import Moto
from tms.accounts.audit import anchors, recorder, sealing
from tms.accounts.audit.recorder import AuditSubject
from tms.accounts.audit.verification import verify
from tms.accounts.models import AuditDay, AuditEntry

pytestmark = [pytest.mark.both, pytest.mark.django_db]
BUCKET = "tms-audit"
HOUR = timedelta(hours=1)


def seal(number: int, at=AT) -> None:
    for _ in range(number):
        recorder.write(AuditSubject("alerts.rule", "1", "CPU"), "changed")
    sealing.seal(at)


def logged(at=AT) -> list[dict]:
    with capture_logs() as logs:
        anchors.write_due(at)
    return [line for line in logs if line["event"] == anchors.EVENT]


def test_an_anchor_is_logged_and_recorded():
    seal(3)

    [line] = logged()

    day = AuditDay.objects.get()
    assert (line["day"], line["entries"], line["number"], line["hash"]) == ("2026-11-25", 3, 3, day.last_hash)
    assert (day.anchored_entries, day.anchored_at) == (3, AT)
    assert AuditEntry.objects.get(action="anchored").changes == {"entries": [None, 3], "to": [None, "log"]}


def test_an_anchor_is_written_once_per_interval_and_only_for_new_entries(settings):
    settings.AUDIT_ANCHOR_S = 3600
    seal(3)
    first = logged()
    sealing.seal(AT)

    unchanged = logged(AT + 2 * HOUR)
    seal(1, AT + 2 * HOUR)
    after = logged(AT + 2 * HOUR)
    seal(1, AT + 2 * HOUR)

    assert [len(lines) for lines in (first, unchanged, after, logged(AT + 2 * HOUR))] == [1, 0, 1, 0]


def test_a_day_that_is_over_gets_its_last_anchor_at_once():
    seal(3)
    logged()
    seal(2)
    seal(1, AT + timedelta(days=1))

    lines = logged(AT + timedelta(days=1))

    assert (lines[0]["day"], lines[0]["entries"]) == ("2026-11-25", 6)
    assert verify().entries == 7


@pytest.fixture
def bucket(aws: Moto, settings) -> str:
    settings.AUDIT_BUCKET, settings.AUDIT_DAYS = BUCKET, 1_100
    location = {"LocationConstraint": "ap-northeast-1"}
    aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location, ObjectLockEnabledForBucket=True)
    return BUCKET


def test_an_anchor_in_the_bucket_is_locked_and_confirms_the_chain(bucket, aws: Moto, tmp_path: Path):
    seal(3)

    logged()

    s3, key = aws.client("s3"), "audit/2026-11-25/000000000003.json"
    stored = s3.get_object(Bucket=bucket, Key=key)
    [anchor] = anchors.read([stored["Body"].read().decode()])
    assert stored["ObjectLockMode"] == "COMPLIANCE"
    assert stored["ObjectLockRetainUntilDate"] >= AT + timedelta(days=1_099)
    assert verify(anchors=[anchor]).anchors == 1
    assert AuditEntry.objects.get(action="anchored").changes["to"] == [None, f"s3://{bucket}"]


def test_an_anchor_that_the_bucket_refuses_is_tried_again(bucket, aws: Moto, settings):
    seal(3)
    settings.AUDIT_BUCKET = "elsewhere"
    with pytest.raises(Exception, match="NoSuchBucket"):
        anchors.write_due(AT)

    settings.AUDIT_BUCKET = bucket

    assert anchors.write_due(AT) == 1
