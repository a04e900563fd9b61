"""The tables that each good release was made for, and which releases are too old for those of the database.

Migrations are not undone by a rollback, so a release must work with the tables of every later one that has migrated.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploy import compatibility
from deploy.aws import account, client, code_of, parameter, set_parameter
from deploy.pipeline.failure import DeploymentFailed
from deploy.pipeline.good import GoodReleases

LONGEST_REASON = 120
"""An SSM parameter holds 4 KB."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The last migration of each app, stored for each good release; and the parameter `/NAME/releases/schema`."""

    good: GoodReleases

    @property
    def parameter(self) -> str:
        return f"/{self.good.name}/releases/schema"

    def store(self, release: str) -> None:
        """Record the migrations of this checkout as those of `release`."""
        body = json.dumps(compatibility.migrations(), indent=1).encode()
        client("s3").put_object(Bucket=self._bucket, Key=_key(release), Body=body, ChecksumAlgorithm="SHA256")

    def plan(self, release: str, current: str) -> None:
        """Record which good releases do not work with the tables of `release`, which is this checkout.

        Raises DeploymentFailed if `current` does not: it serves meanwhile, and a rollback returns to it.
        """
        if self._read_recorded().get("release") == release:
            return
        too_old = self.too_old()
        if reason := too_old.get(current):
            raise DeploymentFailed(
                f"{current} would not work with the tables of {release} ({reason}): migrate in two releases"
            )
        set_parameter(self.parameter, json.dumps({"release": release, "too_old": too_old}))

    def too_old(self) -> Mapping[str, str]:
        """Good release → what it would miss, of those whose migrations were stored."""
        stored = {each: self._migrations(each) for each in self.good.all()}
        found = {each: compatibility.findings(migrations) for each, migrations in stored.items() if migrations}
        return {each: str(problems[0])[:LONGEST_REASON] for each, problems in found.items() if problems}

    def must_fit(self, release: str) -> None:
        """Raise DeploymentFailed if `release` does not work with the tables of the database, as far as it is known."""
        recorded = self._read_recorded()
        too_old: Mapping[str, str] = recorded.get("too_old", {})
        if reason := too_old.get(release):
            raise DeploymentFailed(
                f"{release} is too old for the tables of {recorded['release']} ({reason}); "
                "fix forward, restore a backup, or insist: --any-tables"
            )

    def _read_recorded(self) -> Mapping[str, Any]:
        recorded: Mapping[str, Any] = json.loads(parameter(self.parameter, "{}"))
        return recorded

    def _migrations(self, release: str) -> Mapping[str, str]:
        """The migrations of the release; empty if none are stored for it."""
        s3 = client("s3")
        try:
            found: Mapping[str, str] = json.loads(s3.get_object(Bucket=self._bucket, Key=_key(release))["Body"].read())
        except s3.exceptions.ClientError as error:
            if code_of(error) in ("NoSuchKey", "404"):
                return {}
            raise
        return found

    @property
    def _bucket(self) -> str:
        return f"{self.good.name}-{account()}-releases"


def _key(release: str) -> str:
    """The key of a release; of an image, its digest only: a repository has slashes."""
    return f"schemas/{release.rpartition('@')[2].replace(':', '-')}.json"
