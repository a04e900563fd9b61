"""The state of the audit trail's hash chain, read from the database on each scrape."""

from collections.abc import Iterator

import structlog
from django.db import DatabaseError, InterfaceError
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from tms.accounts.models import AuditCheck, AuditEntry

log = structlog.get_logger(__name__)


class AuditCollector(Collector):
    """Whether a bad entry was found, and how many entries are not sealed yet."""

    def describe(self) -> Iterator[GaugeMetricFamily]:
        yield from families(None, None)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            is_broken = AuditCheck.objects.exclude(broken_number=None).exists()
            unsealed = AuditEntry.objects.unsealed().count()
        except (DatabaseError, InterfaceError) as error:
            log.warning("audit_gauges_unreadable", error=str(error).strip())
            return
        yield from families(float(is_broken), unsealed)


def families(broken: float | None, unsealed: float | None) -> Iterator[GaugeMetricFamily]:
    text = "1 if an entry of the audit trail was edited or deleted"
    yield GaugeMetricFamily("tms_audit_chain_broken", text, value=broken)
    yield GaugeMetricFamily("tms_audit_unsealed", "Entries of the audit trail not yet in the chain", value=unsealed)
