"""Typed readers of the environment. An invalid value stops the start with one clear line."""

import contextlib
import os
import re
import secrets
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from math import inf
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured

MAX_DURATION_S = 366 * 86_400.0
MAX_DAYS = 36_500
"""More could not be subtracted from a date."""
EXCLUSIVELY = os.O_WRONLY | os.O_CREAT | os.O_EXCL
ADDRESS = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(/[!$-;=@-Z_a-z~-]*)?")
"""An HTTP address without a query, because paths are appended."""
TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    """The value of `name`, or of the file named by `name`_FILE, so that process listings show no secrets."""
    value, path = os.environ.get(name), os.environ.get(f"{name}_FILE", "").strip()
    if not path:
        return (default if value is None else value).strip()
    if value:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set; keep only one")
    return _contents(path, f"{name}_FILE").strip()


def flag(name: str, *, default: bool) -> bool:
    value = text(name, str(default)).lower()
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name}={value!r}: expected 1 or 0")
    return value in TRUE


def whole(name: str, default: int, *, least: int = 0, most: float = inf) -> int:
    return int(_number(name, default, least, int, most))


def seconds(name: str, default: float, *, least: float = 0) -> float:
    """A duration in seconds, at most a year."""
    return _number(name, default, least, float, MAX_DURATION_S)


def days(name: str, default: int, *, least: int = 0) -> int:
    return whole(name, default, least=least, most=MAX_DAYS)


def percent(name: str, default: float) -> float:
    return _number(name, default, 0, float, 100)


def choice(name: str, default: str, among: Sequence[str]) -> str:
    value = text(name, default).lower()
    if value not in among:
        raise ImproperlyConfigured(f"{name}={value!r}: expected one of {', '.join(among)}")
    return value


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """A comma-separated list of addresses and networks."""
    try:
        return [ip_network(word, strict=False) for word in words(name)]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name}: {error}; expected addresses or networks, like 10.1.2.3,10.8.0.0/16"
        ) from None


def folder(name: str, default: Path) -> Path:
    return Path(text(name) or default).expanduser().absolute()


def time_zone(name: str, default: str) -> str:
    """A name of the time-zone database."""
    zone = text(name, default)
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):  # unknown, or no name at all
        raise ImproperlyConfigured(f"{name}={zone!r}: expected a time zone such as Asia/Tokyo") from None
    return zone


def address(name: str) -> str:
    """An HTTP address of a site, or nothing."""
    url = text(name)
    if url and not ADDRESS.fullmatch(url):
        raise ImproperlyConfigured(f"{name}={url!r}: expected an address such as https://tms.example.com")
    return url


def origins(url: str) -> list[str]:
    """The origin of an address with a host; none of a path."""
    parts = urlsplit(url)
    return [f"{parts.scheme}://{parts.netloc}"] if parts.netloc else []


def _contents(path: str, variable: str) -> str:
    try:
        return Path(path).expanduser().read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not text in UTF-8"
        raise ImproperlyConfigured(f"{variable}={path}: {why}; set a file that this process may read") from None


def _number(name: str, default: float, least: float, kind: type[int] | type[float], most: float = inf) -> float:
    value = text(name, str(default))
    try:
        number = kind(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r}: expected a number") from None
    if not number >= least:
        raise ImproperlyConfigured(f"{name}={value!r}: expected at least {least}")
    if number > most:
        raise ImproperlyConfigured(f"{name}={value!r}: expected at most {most:g}")
    return number


def stored_secret(data_dir: Path) -> str:
    """The secret key of an embedded TMS, created once and stored in its data directory, readable by its owner only."""
    path = data_dir / "secret-key"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError), os.fdopen(os.open(path, EXCLUSIVELY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
        return path.read_text()
    except OSError as error:
        raise ImproperlyConfigured(
            f"TMS_DATA_DIR={data_dir}: {error.strerror}; name a directory that can be written"
        ) from None
