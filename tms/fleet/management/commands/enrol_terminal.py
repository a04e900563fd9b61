"""`manage.py enrol_terminal` creates a terminal and prints its credential."""

from django.core.management.base import CommandError, CommandParser
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from tms.fleet.credentials import services
from tms.fleet.models import Site, Terminal, TerminalKind
from tms.lib.management import NoChecksCommand
from tms.protocol.credential import UID

MAX_NAME_CHARACTERS = 100
MAX_LISTED_SITES = 20


class Command(NoChecksCommand):
    help = "Enrols a terminal and prints its credential, uid.secret, which is shown only once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("uid", help="letters, digits, - and _, at most 64")
        parser.add_argument("--site", required=True, metavar="NAME", help="code or name of a site")
        parser.add_argument("--new-site", action="store_true", help="create the site if there is none of this name")
        parser.add_argument("--kind", choices=TerminalKind.values, default=TerminalKind.KIOSK.value)
        parser.add_argument("--label", default="", help="location")

    def handle(
        self, *args: object, uid: str, site: str, new_site: bool, kind: str, label: str, **options: object
    ) -> None:
        if not UID.fullmatch(uid):
            raise CommandError(f"UID {uid!r}: use 1 to 64 letters, digits, - and _, starting with a letter or digit")
        if not site.strip() or len(site) > MAX_NAME_CHARACTERS:
            raise CommandError(f"--site {site!r}: use 1 to {MAX_NAME_CHARACTERS} characters")
        if len(label) > MAX_NAME_CHARACTERS:
            raise CommandError(f"--label: use at most {MAX_NAME_CHARACTERS} characters, not {len(label)}")
        try:
            with transaction.atomic():
                at = _site(site, is_new=new_site)
                terminal = Terminal(uid=uid, site=at, kind=kind, label=label)
                credential = services.enrol(terminal)
        except IntegrityError:
            raise CommandError(
                f"UID {uid!r} is already in use; choose another, or give it a key with issue_credential"
            ) from None
        self.stderr.write(f"{uid} enrolled at {terminal.site}; its credential follows and is not shown again")
        self.stdout.write(str(credential))


def _site(name: str, *, is_new: bool) -> Site:
    known = Site.objects.filter(code__iexact=name).first() or Site.objects.filter(name__iexact=name).first()
    if known:
        return known
    if not is_new:
        raise CommandError(f"no site {name!r}; {_known_sites()}--new-site creates it")
    stem = slugify(name).replace("-", "").upper()[:6] or "SITE"
    used = set(Site.objects.filter(code__istartswith=stem).values_list("code", flat=True))
    code = next(code for number in range(100) if (code := f"{stem}{number or ''}") not in used)
    return Site.objects.create(code=code, name=name)


def _known_sites() -> str:
    sites = list(Site.objects.order_by("code").values_list("code", "name")[: MAX_LISTED_SITES + 1])
    listed = ", ".join(f"{code} ({name})" for code, name in sites[:MAX_LISTED_SITES])
    return f"sites: {listed}{', …' if len(sites) > MAX_LISTED_SITES else ''}; " if sites else ""
