"""Releases on EC2: an artefact in S3, an SSM parameter that names it, machines that can be replaced a few at a time."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.aws import Resource, account, client, code_of, parameter, set_parameter
from deploy.pipeline import alarms, run_command
from deploy.pipeline.failure import DeploymentFailed
from deploy.pipeline.good import GoodReleases
from deploy.pipeline.polling import Polling

WARMUP_S = 120
"""How long after its start a machine counts as healthy; until then the group replaces no other one."""
REFRESH_S = 3600
"""Two rounds of new machines take about 20 minutes; then the alarms are watched."""
GOOD, UNDER_WAY = "Successful", {"Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress"}


@dataclass(frozen=True, slots=True)
class Machines:
    """The machines of the deployment whose resources have the prefix `name`."""

    name: str = "tms"

    @property
    def group(self) -> str:
        return f"{self.name}-autoscaling-group"

    @property
    def parameter(self) -> str:
        return f"/{self.name}/release"

    @property
    def bucket(self) -> str:
        return f"{self.name}-{account()}-releases"

    def publish(self, artefact: Path) -> str:
        """Upload it with its checksum, once: a version never changes. Returns its URL. Raises DeploymentFailed."""
        checksum = artefact.with_name(f"{artefact.name}.sha256")
        recorded, computed = checksum.read_text().split()[0], digest(artefact)
        if recorded != computed:
            raise DeploymentFailed(
                f"{artefact.name} has the SHA-256 {computed}, but {checksum.name} has {recorded}: build it again"
            )
        s3 = client("s3")
        published = self._published_checksum(s3, artefact.name)
        if published not in ("", computed):
            raise DeploymentFailed(
                f"s3://{self.bucket}/{artefact.name} is there already, and is another one: choose another version"
            )
        if not published:
            s3.upload_file(str(artefact), self.bucket, artefact.name, ExtraArgs={"ChecksumAlgorithm": "SHA256"})
            # The checksum comes last: once it exists, so does the artefact.
            s3.upload_file(str(checksum), self.bucket, checksum.name, ExtraArgs={"ChecksumAlgorithm": "SHA256"})
        return f"s3://{self.bucket}/{artefact.name}"

    def current(self) -> str:
        return parameter(self.parameter)

    def set_current(self, release: str) -> None:
        """New machines install it from now on."""
        set_parameter(self.parameter, release)
        print(f"{self.parameter} is {release}", flush=True)

    @property
    def good(self) -> GoodReleases:
        return GoodReleases(self.name, images=False)

    def previous(self) -> str:
        """The newest good release older than the current one. Raises NoEarlierRelease."""
        return self.good.before(self.current())

    def migrate(self, release: str, polling: Polling) -> None:
        """Run the migrations of `release` on one serving machine; all of them continue with the old release.

        Without a machine there are no tables yet: the first one that starts creates them. Raises DeploymentFailed.
        """
        self.must_be_published(release)
        serving = self.serving()
        if not serving:
            print(f"{self.group} has no machine in service: the first one creates the tables when it starts.")
            return
        run_command.run(self.name, "migrate", release, serving[:1], polling)

    def roll_out(self, release: str, polling: Polling, on_begin: Callable[[], None] = lambda: None) -> None:
        """Make it current and replace every machine, without going below the desired capacity. Raises DeploymentFailed.

        `on_begin` is called before the first change: after an earlier failure there is nothing to roll back.
        """
        self.must_be_published(release)
        on_begin()
        self.set_current(release)
        self._refresh(polling, f"machines with {release}")

    def use_template(self, version: str, polling: Polling) -> None:
        """Use another version of the launch template, if machines do not start since Terraform changed it."""
        client("autoscaling").update_auto_scaling_group(
            AutoScalingGroupName=self.group,
            LaunchTemplate={"LaunchTemplateName": self._template(), "Version": version},
        )
        self._refresh(polling, f"machines of template {version}")

    def _refresh(self, polling: Polling, what: str) -> None:
        """Replace every machine. Cancels a refresh that is in progress: it would start machines of another release."""
        groups = client("autoscaling")
        if self._is_refreshing(groups):
            groups.cancel_instance_refresh(AutoScalingGroupName=self.group)
            polling.until(
                lambda: (not self._is_refreshing(groups), "waiting"), what="the previous refresh is being cancelled"
            )
        started = groups.start_instance_refresh(
            AutoScalingGroupName=self.group,
            Strategy="Rolling",
            Preferences={
                "MinHealthyPercentage": 100,
                "MaxHealthyPercentage": 150,
                "InstanceWarmup": WARMUP_S,
                "SkipMatching": False,
                "BakeTime": alarms.BAKE_S,
                "AlarmSpecification": {"Alarms": list(alarms.guards(self.name, alarms.firing(self.name)))},
            },
        )["InstanceRefreshId"]

        def check() -> tuple[bool, str]:
            [refresh] = self._refreshes(groups, InstanceRefreshIds=[started])
            status, done = refresh["Status"], refresh.get("PercentageComplete", 0)
            if status != GOOD and status not in UNDER_WAY:
                raise DeploymentFailed(f"{what}: {status}: {refresh.get('StatusReason', 'no reason was given')}")
            return status == GOOD, f"{status}, {done} %"

        polling.within(REFRESH_S).until(check, what=what)

    def _is_refreshing(self, groups: Any) -> bool:
        return any(refresh["Status"] in UNDER_WAY for refresh in self._refreshes(groups))

    def _refreshes(self, groups: Any, **which: object) -> Sequence[Resource]:
        found: Sequence[Resource] = groups.describe_instance_refreshes(AutoScalingGroupName=self.group, **which)[
            "InstanceRefreshes"
        ]
        return found

    def serving(self) -> Sequence[str]:
        """Ids of the machines in service."""
        return [each["InstanceId"] for each in self._instances() if each["LifecycleState"] == "InService"]

    def starting(self) -> Sequence[str]:
        """Ids of the machines that may have read already which release is current."""
        return [each["InstanceId"] for each in self._instances() if each["LifecycleState"].startswith("Pending")]

    def target_groups(self) -> Sequence[str]:
        return [str(arn) for group in self._groups() for arn in group.get("TargetGroupARNs", [])]

    def _instances(self) -> Sequence[Resource]:
        return [each for group in self._groups() for each in group["Instances"]]

    def _template(self) -> str:
        [group] = self._groups()
        return str(group["LaunchTemplate"]["LaunchTemplateName"])

    def _groups(self) -> Sequence[Resource]:
        groups = client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[self.group])
        found: Sequence[Resource] = groups["AutoScalingGroups"]
        return found

    def must_be_published(self, release: str) -> None:
        if not self._published_checksum(client("s3"), f"tms-{release}.tar.gz"):
            raise DeploymentFailed(
                f"s3://{self.bucket}/tms-{release}.tar.gz.sha256 does not exist: publish the release first"
            )

    def _published_checksum(self, s3: Any, name: str) -> str:
        """The SHA-256 of an artefact in the bucket; empty if it is not there."""
        try:
            return str(s3.get_object(Bucket=self.bucket, Key=f"{name}.sha256")["Body"].read().decode().split()[0])
        except s3.exceptions.ClientError as error:
            if code_of(error) in ("NoSuchKey", "404"):
                return ""
            raise


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
