"""The folders of the platform for configuration and state."""

import os
import sys
from pathlib import Path


def default_config() -> Path:
    return config_folder() / "tms-agent.toml"


def config_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", "C:/ProgramData")) / "tms-agent"
    if sys.platform == "darwin":
        return Path("/Library/Application Support/tms-agent")
    if os.geteuid() == 0 or is_there(Path("/etc/tms-agent/tms-agent.toml")):
        return Path("/etc/tms-agent")
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "tms-agent"


def is_there(path: Path) -> bool:
    """False, and no error, in a folder that this user may not look into."""
    return os.access(path, os.F_OK)


def state_folder() -> Path:
    """The directory for persistent data on this platform."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "tms-agent"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "tms-agent"
    if given := os.environ.get("STATE_DIRECTORY"):  # set by systemd
        return Path(given)
    if os.geteuid() == 0:
        return Path("/var/lib/tms-agent")
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "tms-agent"
