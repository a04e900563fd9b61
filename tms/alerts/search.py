from django.db.models import Q

from tms.alerts.models import Rule
from tms.fleet.models import Terminal
from tms.fleet.terminals.search import terminals_like


def alerts_like(text: str) -> Q:
    """By the name of the rule, the last comment, or what the terminal is found by."""
    rules = Rule.objects.filter(Q(name__icontains=text) | Q(name_ja__icontains=text))
    terminals = Terminal.objects.filter(terminals_like(text))
    return Q(rule__in=rules.values("pk")) | Q(comment__icontains=text) | Q(terminal__in=terminals.values("pk"))
