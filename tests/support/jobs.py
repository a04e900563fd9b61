"""Jobs of tests, the passes of the clock that advance them, and the answers of their terminals."""

from datetime import datetime, timedelta

from django.db import transaction

from tests.support.builders import AT, later
from tms.accounts.models import User
from tms.commands import services as commands
from tms.commands.services import Answered
from tms.jobs import runner, services, starting
from tms.jobs.models import Job
from tms.jobs.services import JobValues
from tms.lib.calendar.recurrence import Occurrence


def job(by: User, *, at: datetime = AT, length_s: int = 3600, **values: object) -> Job:
    first = Occurrence(at, at + timedelta(seconds=length_s))
    chosen = {"name": "Test", "command": "ping", "query": "kind:kiosk", "first": first} | values
    return services.create_job(JobValues(**chosen), by=by, at=at)


def tick(seconds: float) -> None:
    starting.start_due(later(seconds))
    runner.advance(later(seconds))


def answer(seconds: float, *, error: str = "") -> list[int]:
    """Deliver what is queued, and answer it. Returns the terminals."""
    waiting = commands.waiting(at=later(seconds))
    sent = commands.dequeue(dict.fromkeys(waiting, 1), at=later(seconds))
    answers = [Answered(command.pk, command.terminal_id, "ok", error) for command in sent]
    with transaction.atomic():
        commands.record_answers(answers, at=later(seconds))
    return sorted(waiting)
