"""`manage.py enrolment_token` creates an enrolment token for a new terminal of a site."""

from datetime import UTC, datetime, timedelta

from django.core.management.base import CommandError, CommandParser

from tms.fleet.enrolment.tokens import MAX_VALIDITY, TokenLimits, make_token
from tms.fleet.models import Site
from tms.lib.management import NoChecksCommand


class Command(NoChecksCommand):
    help = "Prints a single-use token with which a new terminal of a site enrols at POST /api/v1/enrol."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--site", required=True, metavar="CODE")
        parser.add_argument("--hours", type=float, default=24, help="hours of validity, at most 24")

    def handle(self, *args: object, site: str, hours: float, **options: object) -> None:
        found = Site.objects.filter(code__iexact=site).first()
        if found is None:
            known = ", ".join(Site.objects.values_list("code", flat=True)[:20]) or "none yet"
            raise CommandError(f"unknown site {site!r}; known codes: {known}")
        if not 0 < hours <= MAX_VALIDITY / timedelta(hours=1):
            raise CommandError(f"--hours {hours:g}: expected more than 0 and at most 24")
        self.stdout.write(
            make_token(TokenLimits(site=found), by=None, at=datetime.now(UTC), valid=timedelta(hours=hours))
        )
