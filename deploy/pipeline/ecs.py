"""Releases on ECS: a new revision of each task definition, with the image by digest, rolled out to the services."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from deploy.aws import Resource, client
from deploy.pipeline.failure import DeploymentFailed
from deploy.pipeline.good import GoodReleases
from deploy.pipeline.polling import Polling

COPIED_FIELDS = (
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
"""Fields of a described task definition that may be registered again; AWS sets the others."""


@dataclass(frozen=True, slots=True)
class Containers:
    """The ECS cluster of the deployment whose resources have the prefix `name`."""

    name: str = "tms"

    @property
    def cluster(self) -> str:
        return f"{self.name}-cluster"

    @property
    def services(self) -> Sequence[str]:
        """The services in the order of the rollout. The clock works with the tables of both releases."""
        return (f"{self.name}-serve", f"{self.name}-clock")

    def current(self) -> str:
        """The current image, by its digest."""
        return image_of(self._task_definition(self._service(self.services[0])["taskDefinition"]))

    @property
    def good(self) -> GoodReleases:
        return GoodReleases(self.name, images=True)

    def previous(self) -> str:
        """The newest good image older than the current one. Raises NoEarlierRelease."""
        return self.good.before(self.current())

    def migrate(self, image: str, polling: Polling) -> None:
        """Run the migrations with `image`, before it is rolled out. Raises DeploymentFailed."""
        ecs = client("ecs")
        definition = self._register(f"{self.name}-migrate", must_be_digest(image))
        network = self._service(self.services[0])["networkConfiguration"]
        started = ecs.run_task(
            cluster=self.cluster, taskDefinition=definition, launchType="FARGATE", networkConfiguration=network, count=1
        )
        if not started["tasks"]:
            raise DeploymentFailed(f"the migrations did not start: {reasons(started['failures'])}")
        polling.until(partial(self._migration_state, started["tasks"][0]["taskArn"]), what="migrations")

    def _migration_state(self, task: str) -> tuple[bool, str]:
        found = client("ecs").describe_tasks(cluster=self.cluster, tasks=[task])["tasks"]
        if not found:  # ECS may not know a task for a moment after it was started
            return False, "started"
        if found[0]["lastStatus"] == "STOPPED":
            must_have_ended_well(found[0])
        return found[0]["lastStatus"] == "STOPPED", str(found[0]["lastStatus"])

    def roll_out(self, image: str, polling: Polling, on_begin: Callable[[], None] = lambda: None) -> None:
        """Move the services to `image`, one after the other, each until it is stable. Raises DeploymentFailed.

        A service that has the image already gets new tasks too: tasks read secrets only when they start.
        `on_begin` is called before the first change.
        """
        must_be_digest(image)
        on_begin()
        for service in self.services:
            definition = self._register(service, image)
            is_unchanged = self._service(service)["taskDefinition"] == definition
            client("ecs").update_service(
                cluster=self.cluster, service=service, taskDefinition=definition, forceNewDeployment=is_unchanged
            )
            polling.until(partial(self._rollout_state, service, definition), what=service)

    def _rollout_state(self, name: str, wanted: str) -> tuple[bool, str]:
        service = self._service(name)
        [newest] = [one for one in service["deployments"] if one["status"] == "PRIMARY"]
        state = newest.get("rolloutState", "IN_PROGRESS")
        status = f"{newest['runningCount']} of {newest['desiredCount']} run, {state}"
        if state == "FAILED":
            raise DeploymentFailed(f"{name}: {newest.get('rolloutStateReason', 'its tasks did not become healthy')}")
        if service["taskDefinition"] != wanted:
            raise DeploymentFailed(f"{name}: the circuit breaker put {service['taskDefinition']} back")
        return state == "COMPLETED" and newest["runningCount"] >= newest["desiredCount"], status

    def _register(self, family: str, image: str) -> str:
        """The newest revision of `family` if it has `image`, else a new revision that differs only in the image."""
        newest = self._task_definition(family)
        if image_of(newest) == image:
            return str(newest["taskDefinitionArn"])
        containers = [
            {**one, "image": image} if is_ours(one, newest) else one for one in newest["containerDefinitions"]
        ]
        copied = {name: newest[name] for name in COPIED_FIELDS if newest.get(name)}
        made = client("ecs").register_task_definition(**copied, containerDefinitions=containers)
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def _service(self, name: str) -> Resource:
        found = client("ecs").describe_services(cluster=self.cluster, services=[name])["services"]
        if not found:
            raise DeploymentFailed(f'{self.cluster} has no service {name}: is compute = "ecs" applied?')
        service: Resource = found[0]
        return service

    def _task_definition(self, name: str) -> Resource:
        found: Resource = client("ecs").describe_task_definition(taskDefinition=name)["taskDefinition"]
        return found


def image_of(definition: Resource) -> str:
    return str(definition["containerDefinitions"][0]["image"])


def is_ours(container: Resource, definition: Resource) -> bool:
    """Whether the container runs TMS: sidecars keep their own images."""
    return bool(container["image"] == image_of(definition))


def must_be_digest(image: str) -> str:
    if "@sha256:" not in image:
        raise DeploymentFailed(
            f"{image} is not an image with a digest; expected is REPOSITORY@sha256:…, as push-image prints it"
        )
    return image


def must_have_ended_well(task: Resource) -> None:
    codes = [container.get("exitCode") for container in task["containers"]]
    if not codes or any(codes):
        raise DeploymentFailed(
            f"the migrations ended with {codes}: {task.get('stoppedReason', '')}; see the log group tms-ecs"
        )


def reasons(failures: Sequence[Resource]) -> str:
    return ", ".join(str(failure.get("reason", failure)) for failure in failures) or "AWS returned no reason"
