"""Images in containers, against moto."""

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.aws import client
from deploy.pipeline import ecs as pipeline
from deploy.pipeline.__main__ import main
from deploy.pipeline.ecs import Containers, must_have_ended_well
from deploy.pipeline.failure import DeploymentFailed, NoEarlierRelease
from deploy.pipeline.polling import Polling
from deploy.processes.tms_process import ROOT
from tests.support.servers.aws import Moto

OLD, NEW, NEWEST = (f"123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/tms@sha256:{digit * 64}" for digit in "abc")
QUICK = Polling(interval_s=0.01, timeout_s=5)


class StableMoto(Moto):
    """Its services run the desired number of tasks."""

    def spawn(self, command: Any, **options: Any) -> Any:
        return super().spawn(command, **options, env=os.environ | {"MOTO_ECS_SERVICE_RUNNING": "2"})


@pytest.fixture(scope="module")
def stable() -> Iterator[Moto]:
    with StableMoto() as moto:
        yield moto


@pytest.fixture
def containers(stable: Moto, as_aws: Any) -> Containers:
    """A cluster as Terraform creates it, with OLD."""
    stable.reset()
    end_tasks_after_two_polls(stable)
    as_aws(stable.env)
    ecs, ec2 = client("ecs"), client("ec2")
    client("s3").create_bucket(
        Bucket="tms-123456789012-releases", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"}
    )
    ecs.create_cluster(clusterName="tms-cluster")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
    for family in ("tms-serve", "tms-clock", "tms-migrate"):
        ecs.register_task_definition(
            family=family,
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="1024",
            memory="2048",
            containerDefinitions=[
                {"name": "app", "image": OLD, "essential": True, "memory": 2048, "command": [family[4:]]}
            ],
        )
    for service in ("tms-serve", "tms-clock"):
        ecs.create_service(
            cluster="tms-cluster",
            serviceName=service,
            taskDefinition=service,
            desiredCount=2,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [group]}},
        )
    return Containers()


def images() -> dict[str, str]:
    ecs = client("ecs")
    found = ecs.describe_services(cluster="tms-cluster", services=["tms-serve", "tms-clock"])["services"]
    definitions = {
        one["serviceName"]: ecs.describe_task_definition(taskDefinition=one["taskDefinition"]) for one in found
    }
    return {name: result["taskDefinition"]["containerDefinitions"][0]["image"] for name, result in definitions.items()}


def test_an_image_is_rolled_out_to_every_service_and_rolled_back(containers):
    containers.good.mark(OLD)
    assert main(["roll-out", "ecs", NEW, "--every", "0.01"]) == 0
    assert images() == {"tms-serve": NEW, "tms-clock": NEW}

    done = subprocess.run(
        [ROOT / "deploy/rollback.sh", "ecs", "--every", "0.01"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert images() == {"tms-serve": OLD, "tms-clock": OLD}


def test_a_new_revision_keeps_everything_but_the_image(containers):
    main(["roll-out", "ecs", NEW, "--every", "0.01"])

    result = client("ecs").describe_task_definition(taskDefinition="tms-serve")["taskDefinition"]
    assert result["revision"] == 2
    assert (result["cpu"], result["memory"], result["networkMode"]) == ("1024", "2048", "awsvpc")
    assert result["containerDefinitions"][0]["command"] == ["serve"]


def test_a_rollback_never_rolls_forward(containers, capsys):
    for image in (OLD, NEW):
        main(["roll-out", "ecs", image, "--every", "0.01"])
        main(["mark-good", "ecs", image])
    main(["roll-out", "ecs", NEWEST, "--every", "0.01"])  # and its checklist fails

    served = []
    for _ in range(3):
        code = main(["roll-back", "ecs", "--every", "0.01"])
        served.append((code, images()["tms-serve"]))

    assert served == [(0, NEW), (0, OLD), (1, OLD)]
    assert f"lists no good release older than {OLD}" in capsys.readouterr().err


def test_a_list_that_also_has_releases_of_machines_offers_none_of_them(containers):
    containers.good.mark(OLD)
    containers.good.mark("1.4.2")
    containers.roll_out(NEW, QUICK)

    assert containers.previous() == OLD


def test_the_same_image_is_deployed_again_because_tasks_read_secrets_at_their_start(containers, monkeypatch):
    forced = []
    ecs = client("ecs")
    update = ecs.update_service
    ecs.update_service = lambda **result: forced.append(result["forceNewDeployment"]) or update(**result)
    monkeypatch.setattr(pipeline, "client", lambda service: ecs if service == "ecs" else client(service))

    containers.roll_out(OLD, QUICK)
    containers.roll_out(NEW, QUICK)

    assert forced == [True, True, False, False]


def test_a_tag_is_not_accepted_as_an_image(containers, capsys):
    assert main(["roll-out", "ecs", "tms:latest"]) == 1

    assert "is not an image with a digest" in capsys.readouterr().err
    assert images() == {"tms-serve": OLD, "tms-clock": OLD}


def test_before_the_first_image_there_is_none(containers):
    with pytest.raises(NoEarlierRelease):
        containers.previous()


def test_failed_migrations_stop_the_deployment():
    task = {"containers": [{"exitCode": 1}], "stoppedReason": "Essential container in task exited"}

    with pytest.raises(DeploymentFailed, match="ended with \\[1\\]: Essential container"):
        must_have_ended_well(task)


def test_migrations_that_ecs_does_not_list_yet_are_awaited(stable, as_aws):
    as_aws(stable.env)
    client("ecs").create_cluster(clusterName="tms-cluster")

    assert Containers()._migration_state("arn:aws:ecs:ap-northeast-1:123456789012:task/tms-cluster/new") == (
        False,
        "started",
    )


def test_the_migrations_run_once_with_the_new_image(containers, capsys):
    assert main(["migrate", "ecs", NEW, "--every", "0.01"]) == 0

    result = client("ecs").describe_task_definition(taskDefinition="tms-migrate")["taskDefinition"]
    assert result["containerDefinitions"][0]["image"] == NEW
    assert images() == {"tms-serve": OLD, "tms-clock": OLD}
    assert "migrations: STOPPED" in capsys.readouterr().out


def end_tasks_after_two_polls(moto: Moto) -> None:
    transition = {"model_name": "ecs::task", "transition": {"progression": "manual", "times": 1}}
    request = urllib.request.Request(
        f"{moto.url}/moto-api/state-manager/set-transition", json.dumps(transition).encode(), method="POST"
    )
    urllib.request.urlopen(request, timeout=5).close()
