"""Gauges of the audit trail."""

import pytest
from prometheus_client import CollectorRegistry

from tests.support.builders import AT
from tms.accounts.audit import monitor, recorder, sealing
from tms.accounts.audit.recorder import AuditSubject
from tms.accounts.models import AuditEntry
from tms.ops.collectors.audit import AuditCollector

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def gauges() -> tuple[float | None, float | None]:
    registry = CollectorRegistry()
    registry.register(AuditCollector())
    return registry.get_sample_value("tms_audit_chain_broken"), registry.get_sample_value("tms_audit_unsealed")


def test_a_broken_chain_and_unsealed_entries_are_exported():
    recorder.write(AuditSubject("x"), "changed")
    before = gauges()
    sealing.seal(AT)
    AuditEntry.objects.update(comment="edited")
    monitor.verify_some(AT)

    assert (before, gauges()) == ((0, 1), (1, 0))
