"""Images in containers: a new revision of each task definition, by digest, and services that are moved to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from deploy.aws import client
from deploy.pipeline.failure import DeploymentFailed
from deploy.pipeline.good import GoodReleases
from deploy.pipeline.waiting import Patience

KEPT = (
    "family",
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "volumes",
    "placementConstraints",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "pidMode",
    "ipcMode",
    "proxyConfiguration",
    "inferenceAccelerators",
    "ephemeralStorage",
    "runtimePlatform",
    "enableFaultInjection",
)
"""Of a task definition as it is told, what makes another one; the rest is AWS's own."""


@dataclass(frozen=True, slots=True)
class Containers:
    """The cluster of which `name` begins everything."""

    name: str = "tms"

    @property
    def cluster(self) -> str:
        return f"{self.name}-cluster"

    @property
    def services(self) -> Sequence[str]:
        """The clock comes last: it works with tables of either release."""
        return (f"{self.name}-serve", f"{self.name}-clock")

    def current(self) -> str:
        """The image that serves, by its digest."""
        return image_of(self._definition(self._service(self.services[0])["taskDefinition"]))

    @property
    def good(self) -> GoodReleases:
        return GoodReleases(self.name, images=True)

    def previous(self) -> str:
        """The newest good image older than the one that serves. Raises NothingBefore."""
        return self.good.before(self.current())

    def migrate(self, image: str, patience: Patience) -> None:
        """Run the migrations with `image`, before it serves anybody. Raises Failed when they do not end well."""
        ecs = client("ecs")
        definition = self._register(f"{self.name}-migrate", must_be_digest(image))
        network = self._service(self.services[0])["networkConfiguration"]
        started = ecs.run_task(
            cluster=self.cluster, taskDefinition=definition, launchType="FARGATE", networkConfiguration=network, count=1
        )
        if not started["tasks"]:
            raise DeploymentFailed(f"the migrations did not start: {reasons(started['failures'])}")
        task = started["tasks"][0]["taskArn"]

        def look() -> tuple[bool, str]:
            [seen] = ecs.describe_tasks(cluster=self.cluster, tasks=[task])["tasks"]
            if seen["lastStatus"] == "STOPPED":
                must_have_ended_well(seen)
            return seen["lastStatus"] == "STOPPED", str(seen["lastStatus"])

        patience.until(look, what="migrations")

    def roll_out(self, image: str, patience: Patience, begin: Callable[[], None] = lambda: None) -> None:
        """Move the services to `image`, one after the other, each until it is stable. Raises Failed.

        A service that has the image already gets new tasks all the same: they read secrets when they start, and a
        rotated one arrives in no other way. `begin` is called before the first change.
        """
        must_be_digest(image)
        begin()
        for service in self.services:
            definition = self._register(service, image)
            is_unchanged = self._service(service)["taskDefinition"] == definition
            client("ecs").update_service(
                cluster=self.cluster, service=service, taskDefinition=definition, forceNewDeployment=is_unchanged
            )
            patience.until(partial(self._standing, service, definition), what=service)

    def _standing(self, name: str, wanted: str) -> tuple[bool, str]:
        service = self._service(name)
        [newest] = [one for one in service["deployments"] if one["status"] == "PRIMARY"]
        state = newest.get("rolloutState", "IN_PROGRESS")
        told = f"{newest['runningCount']} of {newest['desiredCount']} run, {state}"
        if state == "FAILED":
            raise DeploymentFailed(f"{name}: {newest.get('rolloutStateReason', 'its tasks did not become healthy')}")
        if service["taskDefinition"] != wanted:
            raise DeploymentFailed(f"{name}: the circuit breaker put {service['taskDefinition']} back")
        return state == "COMPLETED" and newest["runningCount"] >= newest["desiredCount"], told

    def _register(self, family: str, image: str) -> str:
        """A revision of `family` as it is, but with `image`; the newest itself when it has that already."""
        newest = self._definition(family)
        if image_of(newest) == image:
            return str(newest["taskDefinitionArn"])
        containers = [
            {**one, "image": image} if is_ours(one, newest) else one for one in newest["containerDefinitions"]
        ]
        kept = {name: newest[name] for name in KEPT if newest.get(name)}
        made = client("ecs").register_task_definition(**kept, containerDefinitions=containers)
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def _service(self, name: str) -> Any:
        found = client("ecs").describe_services(cluster=self.cluster, services=[name])["services"]
        if not found:
            raise DeploymentFailed(f'{self.cluster} has no service {name}: is compute = "ecs" applied?')
        return found[0]

    def _definition(self, name: str) -> Any:
        return client("ecs").describe_task_definition(taskDefinition=name)["taskDefinition"]


def image_of(definition: Any) -> str:
    return str(definition["containerDefinitions"][0]["image"])


def is_ours(container: Any, definition: Any) -> bool:
    """Whatever runs beside TMS, such as an agent, keeps its own image."""
    return bool(container["image"] == image_of(definition))


def must_be_digest(image: str) -> str:
    if "@sha256:" not in image:
        raise DeploymentFailed(f"{image} is no image by digest; right is REPOSITORY@sha256:…, as push-image prints it")
    return image


def must_have_ended_well(task: Any) -> None:
    codes = [container.get("exitCode") for container in task["containers"]]
    if not codes or any(codes):
        raise DeploymentFailed(
            f"the migrations ended with {codes}: {task.get('stoppedReason', '')}; see the log group tms-ecs"
        )


def reasons(failures: Sequence[Any]) -> str:
    return ", ".join(str(failure.get("reason", failure)) for failure in failures) or "AWS gave no reason"
