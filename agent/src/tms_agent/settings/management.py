"""What TMS may change on this terminal, by its settings."""

from pathlib import Path

from tms_agent.configuring.program import ConfigurationProgram
from tms_agent.management import ManagementSettings
from tms_agent.settings.errors import UsageError
from tms_agent.settings.tables import ChangeSettings
from tms_agent.updating import manifest
from tms_agent.updating.updater import Installer, UpdateSettings


def management_of(changes: ChangeSettings, folder: Path) -> ManagementSettings:
    """`folder` is that of the spool. Raises UsageError."""
    installers: dict[str, Installer] = dict(changes.formats)
    if changes.own_versions:
        from tms_agent.updating import versions  # only few need what it imports

        installers[versions.FORMAT] = versions.OwnInstaller(versions.Versions(versions_folder(folder)))
    if installers and not changes.keys:
        raise UsageError("update: no keys; without a public key under [update.keys] no update can be trusted")
    if installers and not manifest.has_signatures():
        raise UsageError("update: the package cryptography is missing; pip install 'tms-agent[update]'")
    apply = ConfigurationProgram(changes.apply_command) if changes.apply_command else None
    updates = UpdateSettings(folder, changes.keys, installers, may_begin=changes.may_begin)
    return ManagementSettings(folder, apply, updates=updates)


def versions_folder(folder: Path) -> Path:
    return folder / "versions"
