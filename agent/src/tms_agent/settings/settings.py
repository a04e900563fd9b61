"""The settings of the agent: what they are, and where their values come from.

The command line wins over the environment, the environment over the configuration file, and the file over defaults.
"""

import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from tms_agent.connection.network import Network, with_user
from tms_agent.connection.tls import TlsFiles
from tms_agent.device.command_probes import ProbeChoices
from tms_agent.device.identity import MEMBERS, IdentitySource
from tms_agent.protocol import credential
from tms_agent.protocol.credential import PlainCredential
from tms_agent.settings import tables, values
from tms_agent.settings.errors import UsageError
from tms_agent.settings.folders import default_config, is_there, state_folder
from tms_agent.settings.tables import ChangeSettings, suggestion
from tms_agent.settings.toml_file import TomlFile
from tms_agent.settings.values import Fault, Read

CREDENTIAL_VARIABLE = "TMS_AGENT_CREDENTIAL"
CONFIG_VARIABLE = "TMS_AGENT_CONFIG"

KEYS: Mapping[str, Read] = {
    "url": values.link_url,
    "credential": values.secret,
    "credential_file": values.path,
    "spool": values.path,
    "interval_s": values.interval,
    "allow_reboot": values.switch,
    "reboot_command": values.command,
    "log_files": values.log_files,
    "screenshot_command": values.screenshot_command,
    "handlers": values.path,
    "verbose": values.switch,
    "tls.ca_file": values.path,
    "tls.certificate_file": values.path,
    "tls.key_file": values.path,
    "proxy.url": values.proxy_url,
    "proxy.user": values.text,
    "proxy.password": values.secret,
    "proxy.password_file": values.path,
    **{f"identity.{name}": tables.identity_source for name in MEMBERS},
    "software": tables.software,
    "probes": tables.probes,
    "configuration.apply_command": values.command,
    "update.keys": tables.update_keys,
    "update.formats": tables.update_formats,
    "update.own_versions": values.switch,
    "update.may_begin": values.command,
}
TABLES = {key.partition(".")[0] for key in KEYS if "." in key}
ONLY_IN_FILE = {"probes", "software", "update.keys", "update.formats"}
SECRETS = ("credential", "proxy.password")
SECRET_FILES = ("credential_file", "tls.key_file", "proxy.password_file")


class Source(Protocol):
    """Where values come from."""

    folder: Path
    """What relative paths are relative to."""

    def where(self, key: str) -> str:
        """The place of the key, for a message."""


class Given(NamedTuple):
    value: Any
    source: Source

    def read(self, key: str) -> Any:
        """Raises UsageError."""
        try:
            return KEYS[key](self.value, self.source.folder)
        except Fault as fault:
            raise UsageError(f"{self.source.where(f'{key}.{fault.name}')}: {fault}") from None
        except ValueError as error:
            raise UsageError(f"{self.source.where(key)}: {error}") from None


class Environment:
    folder = Path()

    def where(self, key: str) -> str:
        return variable(key)


@dataclass(frozen=True, slots=True)
class Settings:
    """All values but the credential, which is read when it is needed."""

    config: Path | None
    """The configuration file; None for none."""
    url: str
    network: Network
    identity: Mapping[str, IdentitySource]
    software: Mapping[str, IdentitySource]
    probes: ProbeChoices
    warnings: tuple[str, ...]
    given: Mapping[str, Given]
    spool: Path | None = None
    interval_s: float | None = None
    allow_reboot: bool = False
    reboot_command: tuple[str, ...] = ()
    log_files: tuple[Path, ...] = ()
    screenshot_command: tuple[str, ...] = ()
    handlers: Path | None = None
    verbose: bool = False
    changes: ChangeSettings = field(default_factory=ChangeSettings)

    @property
    def credential_file(self) -> Path | None:
        given = self.given.get("credential_file")
        return given.read("credential_file") if given else None

    def credential(self) -> PlainCredential:
        """Raises UsageError."""
        if file := self.credential_file:
            return parse_credential(read_text(file, "credential_file"), f"credential_file {file}")
        given = self.given.get("credential")
        if given is None:
            raise UsageError(f"no credential: set --credential-file, {CREDENTIAL_VARIABLE} or --credential")
        return parse_credential(given.read("credential"), given.source.where("credential"))

    def spool_of(self, uid: str) -> Path:
        return self.spool or state_folder() / f"{uid}.spool"


PLAIN = ("spool", "interval_s", "allow_reboot", "handlers", "verbose")
LISTS = ("reboot_command", "log_files", "screenshot_command")


def config_path(named: Path | None) -> Path:
    """The configuration file: `named` on the command line, or in the environment, or that of the platform."""
    return named or Path(os.environ.get(CONFIG_VARIABLE) or default_config())


def load(options: Mapping[str, Given], config: Path | None, *, makes_file: bool = False) -> Settings:
    """The settings of these options, the environment, and the file.

    Raises UsageError, also for a missing file that is named, unless it is about to be made.
    """
    path = config_path(config)
    is_named = path != default_config() and not makes_file
    file = TomlFile(path) if is_named or is_there(path) else None
    of_file = dict(_flat(file, file.members, "")) if file else {}
    of_environment, warnings = _read_environment()
    given = merge(of_file, of_environment, options)
    found = {key: one.read(key) for key, one in given.items() if key != "credential"}
    if "url" not in found:
        raise UsageError(f"no URL: set --url, {variable('url')}, or url in {path}")
    plain: dict[str, Any] = {name: found[name] for name in PLAIN if name in found}
    plain |= {name: tuple(found[name]) for name in LISTS if name in found}
    return Settings(
        config=file.path if file else None,
        url=found["url"],
        network=_network(found, given),
        identity={name: found[f"identity.{name}"] for name in MEMBERS if f"identity.{name}" in found},
        software=found.get("software", {}),
        probes=found.get("probes", ProbeChoices()),
        changes=tables.changes(found),
        warnings=(*warnings, *readable_secrets(file, of_file, found)),
        given=given,
        **plain,
    )


def merge(*layers: Mapping[str, Given]) -> dict[str, Given]:
    """The last layer wins. A credential in it also wins over a file with one further down, and the reverse."""
    merged: dict[str, Given] = {}
    for layer in layers:
        for one, other in (("credential", "credential_file"), ("proxy.password", "proxy.password_file")):
            if one in layer and other in layer:
                places = (layer[name].source.where(name) for name in (one, other))
                raise UsageError(f"{' and '.join(places)}: use only one of them")
            if one in layer or other in layer:
                merged.pop(one, None)
                merged.pop(other, None)
        merged |= layer
    return merged


def _network(found: Mapping[str, Any], given: Mapping[str, Given]) -> Network:
    for one, other in (("tls.key_file", "tls.certificate_file"), ("proxy.user", "proxy.url")):
        if one in found and not found.get(other):
            raise UsageError(f"{given[one].source.where(one)}: needs {other} beside it")
    files = TlsFiles(found.get("tls.ca_file"), found.get("tls.certificate_file"), found.get("tls.key_file"))
    proxy: str | None = found.get("proxy.url")
    if file := found.get("proxy.password_file"):
        password = read_text(file, "proxy.password_file").strip()
    else:
        password = found.get("proxy.password", "")
    if proxy and "proxy.user" in found:
        proxy = with_user(proxy, found["proxy.user"], password)
    return Network(files, proxy)


# The layers


def _flat(file: TomlFile, members: Mapping[str, Any], prefix: str) -> Any:
    """Pairs of a key and what is given for it. Raises UsageError for an unknown key."""
    for name, value in members.items():
        key = prefix + name
        if key in KEYS:
            yield key, Given(value, file)
        elif key not in TABLES:
            raise UsageError(f"{file.where(key)}: unknown; {suggestion(key, KEYS)}")
        elif isinstance(value, dict):
            yield from _flat(file, value, f"{key}.")
        else:
            raise UsageError(f"{file.where(key)}: expected a table, [{key}]")


def _read_environment() -> tuple[dict[str, Given], list[str]]:
    """What is set, and warnings about what nothing reads. An empty variable is not set."""
    keys = {variable(key): key for key in KEYS if key not in ONLY_IN_FILE}
    set_here = {name: value for name, value in os.environ.items() if name.startswith(variable("")) and value.strip()}
    unknown = set_here.keys() - keys.keys() - {CONFIG_VARIABLE}
    warnings = [f"{name}: nothing reads this variable; {suggestion(name, keys)}" for name in sorted(unknown)]
    return {key: Given(set_here[name], Environment()) for name, key in keys.items() if name in set_here}, warnings


def variable(key: str) -> str:
    """The name of its variable of the environment."""
    return f"tms_agent_{key}".replace(".", "_").upper()


# Secrets


def readable_secrets(file: TomlFile | None, of_file: Mapping[str, Given], found: Mapping[str, Any]) -> list[str]:
    """Warnings about files with secrets that all users of this machine can read."""
    named = {key: found[key] for key in SECRET_FILES if key in found}
    if file and (inside := [key for key in SECRETS if key in of_file]):
        named[inside[0]] = file.path
    return [
        f"{path}, with {key}, can be read by every user of this machine; chmod o= {path}"
        for key, path in named.items()
        if is_readable_by_all(path)
    ]


def is_readable_by_all(path: Path) -> bool:
    if sys.platform == "win32":  # has no such mode
        return False
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def parse_credential(text: str, where: str) -> PlainCredential:
    key = credential.parse(text.strip())
    if key is None:
        raise UsageError(f"{where}: not a credential; expected UID.SECRET as printed at enrolment")
    return key


def read_text(file: Path, key: str) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{key} {file}: not a text") from None
    except OSError as error:
        raise UsageError(f"{key} {file}: {error.strerror}") from None
