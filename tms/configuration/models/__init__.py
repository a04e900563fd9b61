"""The models of configurations. Django finds them here; other apps import them from here."""

from tms.configuration.models.key import ConfigurationKey
from tms.configuration.models.terminal_configuration import TerminalConfiguration
from tms.configuration.models.value import Layer, LayerValue
from tms.configuration.models.version import ConfigurationVersion, VersionState

__all__ = [
    "ConfigurationKey",
    "ConfigurationVersion",
    "Layer",
    "LayerValue",
    "TerminalConfiguration",
    "VersionState",
]
