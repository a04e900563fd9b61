"""Writes actions of people on alerts to the audit trail: one entry for all alerts of an action.

The entry refers to the transitions, which are made in the same transaction.
"""

from collections.abc import Iterator, Sequence

from tms.accounts.audit import recorder
from tms.accounts.audit.recorder import AuditSubject
from tms.accounts.models import User
from tms.alerts.models.incident import IncidentTransition, IncidentTransitionKind
from tms.alerts.models.transition import Transition, TransitionKind

ALERT, INCIDENT = "alerts.alert", "alerts.incident"


def record_action(made: Sequence[Transition], *, to: User | None) -> None:
    """One entry for transitions of one kind that a person made."""
    first = made[0]
    alert = str(first.alert_id) if len(made) == 1 else ""
    changes: dict[str, object] = {"alerts": len(made)} if len(made) > 1 else {}
    changes |= {"transitions": ranges([transition.pk for transition in made]), "to": to.username if to else None}
    _write(AuditSubject(ALERT, alert, alert), first, changes)


def record_incident_action(made: IncidentTransition) -> None:
    incident = str(made.incident_id)
    _write(
        AuditSubject(INCIDENT, incident, incident),
        made,
        {"transitions": str(made.pk), "to": made.to.username if made.to else None},
    )


def _write(subject: AuditSubject, transition: Transition | IncidentTransition, changes: dict[str, object]) -> None:
    until = transition.until.isoformat() if transition.until else None
    given = changes | {"contract": transition.contract, "until": until, "by": _on_behalf_of(transition.by)}
    shown = {name: (None, value) for name, value in given.items() if value}
    kinds = TransitionKind if isinstance(transition, Transition) else IncidentTransitionKind
    recorder.write(subject, kinds(transition.kind).name.lower(), shown, comment=transition.comment)


def _on_behalf_of(by: User | None) -> str | None:
    """The person, if what they did goes on: TMS itself acknowledges alerts that join their incident, and another person
    undoes what had ended their acknowledgement.
    """
    return by.username if by and recorder.origin().actor != by else None


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers as text: `101-150,152`."""
    return ",".join(f"{first}-{last}" if last > first else str(first) for first, last in _ranges(numbers))


def _ranges(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    first = last = numbers[0]
    for number in numbers[1:]:
        if number != last + 1:
            yield first, last
            first = number
        last = number
    yield first, last
