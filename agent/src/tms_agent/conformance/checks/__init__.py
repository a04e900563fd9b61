"""The checks that act. Importing this package fills the list, in the order in which they are documented."""

from tms_agent.conformance.check import CHECKS

# isort: off
from tms_agent.conformance.checks import links, reports, requests, reconnecting, refusals
from tms_agent.conformance.checks import backfill
from tms_agent.conformance.checks import limits, clock, answers, uploads, features
from tms_agent.conformance.checks import hostile
# isort: on

__all__ = [
    "CHECKS",
    "answers",
    "backfill",
    "clock",
    "features",
    "hostile",
    "limits",
    "links",
    "reconnecting",
    "refusals",
    "reports",
    "requests",
    "uploads",
]
