"""The migrations of telemetry in a later release, of which the last one would break this release.

For `MIGRATION_MODULES`.
"""

from collections.abc import Mapping

MODULES: Mapping[str, str] = {"telemetry": f"{__name__}.migrations"}
