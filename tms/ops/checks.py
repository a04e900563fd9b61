"""Checks before TMS serves a production fleet: each error names its variable and the fix."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import collapse_addresses, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error
from django.core.checks.security.base import SECRET_KEY_INSECURE_PREFIX
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

log = structlog.get_logger(__name__)

SECRET_LENGTH = 50
SECRET_VARIETY = 5
"""Length and number of distinct characters that Django requires (security.W009)."""

SECRET_PIECES = 0.75
"""Least share of distinct pieces of three characters: about 1 in random text, a tenth in a word that is repeated."""
MIN_PREFIX_BITS = {4: 8, 6: 7}
"""Shortest prefix of trusted networks, by version: those of private networks, 10.0.0.0/8 and fc00::/7."""

PUBLIC_DOMAINS = ("amazonaws.com", "cloudfront.net")
"""Domains in which anyone can get a host name."""

LOG_GROUP = re.compile(r"[\w.\-/#]{1,512}", re.ASCII)
NAMESPACE = re.compile(r"[\w.\-/#:]{1,255}", re.ASCII)
"""The namespaces that CloudWatch accepts."""

type Faults = Iterator[CheckMessage]


def debug() -> Faults:
    if settings.DEBUG:
        yield Error("TMS_DEBUG=1 shows source and settings to visitors on errors", hint="Unset it.", id="tms.E001")


def secret_key() -> Faults:
    try:
        key = settings.SECRET_KEY
    except ImproperlyConfigured:  # Django raises this if it is empty
        key = ""
    if len(key) < SECRET_LENGTH or is_predictable(key):
        yield Error(
            f"TMS_SECRET_KEY {'is too short or too uniform' if key else 'is not set'}; it signs sessions",
            hint=f"Set {SECRET_LENGTH} or more random characters, the same in every process, for example from "
            "`python3 -c 'import secrets; print(secrets.token_urlsafe(50))'`.",
            id="tms.E002",
        )


def is_predictable(key: str) -> bool:
    pieces = [key[n : n + 3] for n in range(len(key) - 2)]
    is_uniform = len(set(key)) < SECRET_VARIETY or len(set(pieces)) < SECRET_PIECES * len(pieces)
    return is_uniform or key.startswith(SECRET_KEY_INSECURE_PREFIX)


def allowed_hosts() -> Faults:
    if not settings.ALLOWED_HOSTS:
        yield Error("TMS_ALLOWED_HOSTS is not set", hint=HOSTS_HINT, id="tms.E003")
    for host in settings.ALLOWED_HOSTS:
        if is_too_wide(host):
            yield Error(f"TMS_ALLOWED_HOSTS={host} matches hosts of other people", hint=HOSTS_HINT, id="tms.E004")


def is_too_wide(host: str) -> bool:
    """Every host, every host of a top-level domain, or of a domain that offers host names."""
    return host == "*" or (host.startswith(".") and (host.count(".") == 1 or host.endswith(PUBLIC_DOMAINS)))


def redis() -> Faults:
    if not settings.REDIS_URL:
        yield Error(
            "TMS_REDIS_URL is not set; processes could not notify each other of changes",
            hint="Set the URL of Redis: `redis://HOST:6379/0`, or `rediss://` with TLS.",
            id="tms.E005",
        )


def database() -> Faults:
    if not settings.DATABASE_URL.startswith(("postgres://", "postgresql://")):
        yield Error(
            "TMS_DATABASE_URL names no PostgreSQL database; the embedded SQLite is for one process on one machine",
            hint="Set the URL of a PostgreSQL database: `postgres://USER:PASSWORD@HOST:5432/NAME`.",
            id="tms.E006",
        )


def https() -> Faults:
    if not settings.HTTPS_ONLY:
        yield Error(
            "TMS_HTTPS_ONLY=0 sends passwords and credentials unencrypted",
            hint="Unset it, and terminate TLS at a proxy in front.",
            id="tms.E007",
        )


def trusted_proxies() -> Faults:
    if settings.HTTPS_ONLY and not settings.TRUSTED_PROXIES:
        yield Error(
            "TMS_TRUSTED_PROXIES is not set; without one no request counts as HTTPS, and each is redirected",
            hint=PROXIES_HINT,
            id="tms.E008",
        )
    networks: dict[int, list[Any]] = {4: [], 6: []}
    for name in settings.TRUSTED_PROXIES:
        try:
            network = ip_network(name, strict=False)
        except ValueError:
            yield Error(f"TMS_TRUSTED_PROXIES={name} is not an address or network", hint=PROXIES_HINT, id="tms.E009")
            continue
        networks[network.version].append(network)
    for version, given in networks.items():
        for network in collapse_addresses(given):  # two halves of the Internet are the whole of it
            if network.prefixlen < MIN_PREFIX_BITS[version]:
                what = "every address" if network.prefixlen == 0 else "more addresses than any private network has"
                yield Error(f"TMS_TRUSTED_PROXIES={network} trusts {what}", hint=PROXIES_HINT, id="tms.E010")


def trusted_origins() -> Faults:
    for origin in settings.CSRF_TRUSTED_ORIGINS:
        if not origin.startswith("https://") or "*" in origin or origin.count("/") > 2:
            yield Error(
                f"TMS_TRUSTED_ORIGINS={origin} is not one HTTPS origin",
                hint="Enter each as browsers send it: `https://noc.example.com`. The hosts of TMS need no entry.",
                id="tms.E011",
            )


def static_url() -> Faults:
    parts = urlsplit(settings.STATIC_URL)
    is_path = settings.STATIC_URL.startswith("/") and not parts.netloc
    if not (is_path or parts.scheme == "https") or "*" in parts.netloc or not parts.path.endswith("/"):
        yield Error(
            f"TMS_STATIC_URL={settings.STATIC_URL} is neither a path nor an HTTPS URL that ends in a slash",
            hint="Set the URL of the static files, for example `https://static.tms.example.com/static/`.",
            id="tms.E012",
        )
    if settings.STATIC_BUCKET and is_path:
        yield checks.Warning(
            "TMS_STATIC_BUCKET is set but TMS_STATIC_URL is a path; browsers do not use the bucket",
            hint="Name the bucket's URL in TMS_STATIC_URL, or unset TMS_STATIC_BUCKET.",
            id="tms.W003",
        )


def database_secret() -> Faults:
    if settings.DATABASE_SECRET and "password" in conninfo_of(settings.DATABASE_URL):
        yield checks.Warning(
            "TMS_DATABASE_URL holds a password, but that of TMS_DATABASE_SECRET is used",
            hint="Remove user and password from the URL: `postgres://HOST:5432/NAME`.",
            id="tms.W004",
        )


def conninfo_of(url: str) -> Mapping[str, object]:
    try:
        return conninfo_to_dict(url)
    except ProgrammingError:
        return {}


def error_log() -> Faults:
    path = Path(settings.ERROR_LOG)
    if settings.ERROR_LOG and not (os.access(path, os.W_OK) if path.exists() else os.access(path.parent, os.W_OK)):
        yield Error(
            f"TMS_ERROR_LOG={path} cannot be written",
            hint="Set a file in a directory that this process may write to.",
            id="tms.E013",
        )


def cloudwatch() -> Faults:
    group, namespace = settings.CLOUDWATCH_LOG_GROUP, settings.CLOUDWATCH_NAMESPACE
    if group and not LOG_GROUP.fullmatch(group):
        yield Error(
            f"TMS_CLOUDWATCH_LOG_GROUP={group} is not a valid name of a log group",
            hint="Use letters, digits and the characters `. - _ / #`, for example `tms-application`.",
            id="tms.E014",
        )
    if namespace and (not NAMESPACE.fullmatch(namespace) or namespace.startswith("AWS/")):
        yield Error(
            f"TMS_CLOUDWATCH_NAMESPACE={namespace} is not a valid custom namespace",
            hint="Use letters, digits and the characters `. - _ / # :`, not beginning with `AWS/`, for example `TMS`.",
            id="tms.E015",
        )


def static_files() -> Faults:
    if not (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
        yield checks.Warning(
            f"TMS_STATIC_ROOT={settings.STATIC_ROOT} holds no collected static files; pages cannot be served",
            hint="Run `manage.py collectstatic --noinput` after each update.",
            id="tms.W002",
        )


HOSTS_HINT = "Set the hosts by which people and terminals reach TMS, for example `tms.example.com`."
PROXIES_HINT = "Set the addresses or networks of the proxies, for example `127.0.0.1,10.0.0.0/16`."
FAULTS: tuple[Callable[[], Faults], ...] = (
    debug,
    secret_key,
    allowed_hosts,
    redis,
    database,
    https,
    trusted_proxies,
    trusted_origins,
    static_url,
    static_files,
    database_secret,
    error_log,
    cloudwatch,
)


@checks.register(checks.Tags.security, deploy=True)
def production(app_configs: object, **_: object) -> list[CheckMessage]:
    """Part of `manage.py check --deploy`."""
    if not settings.PRODUCTION:
        why = "TMS_PRODUCTION is not set: this is the embedded default, for one machine and not for a public network"
        return [checks.Warning(why, hint="Set TMS_PRODUCTION=1 for a fleet.", id="tms.W001")]
    return [fault for faults in FAULTS for fault in faults()]


def refuse_unsafe() -> None:
    """Called by every process that serves. Raises CommandError if production is not safe."""
    if not settings.PRODUCTION:
        return
    faults = checks.run_checks(tags=[checks.Tags.security], include_deployment_checks=True)
    serious = [fault for fault in faults if fault.is_serious()]
    if serious:
        lines = "".join(f"\n  {fault.msg}. {fault.hint or ''} ({fault.id})" for fault in serious)
        raise CommandError(f"TMS refuses to start in production:{lines}")
    for fault in faults:
        if not fault.is_silenced():
            log.warning("unsafe_setting", id=fault.id, fault=fault.msg)
