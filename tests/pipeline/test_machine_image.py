"""The image of machines, on an emulated AWS: pinned, renewed with the machines, and pinned again if they fail."""

from itertools import count
from typing import Any

import pytest

from deploy.aws import client, parameter
from deploy.pipeline import machine_image
from deploy.pipeline.ec2 import Machines
from deploy.pipeline.failure import DeploymentFailed
from deploy.pipeline.polling import Polling

NUMBERS = count(1)
QUICK = Polling(interval_s=0.01, timeout_s=5)
OLD, NEW = "ami-00000000000000001", "ami-00000000000000002"


class Replaced(Machines):
    """Machines whose replacement is recorded with the image that was pinned at the time."""

    images: tuple[str, ...] = ()
    unhealthy: frozenset[str] = frozenset()

    def roll_out(self, release: str, polling: Polling, on_begin: Any = None) -> None:
        image = parameter(machine_image.name_of(self))
        Replaced.images += (image,)
        if image in Replaced.unhealthy:
            raise DeploymentFailed("machines do not become healthy")


@pytest.fixture
def newest(ministack: Any, as_aws: Any) -> str:
    """A parameter as that of AWS, which names the newest image."""
    as_aws(ministack.env)
    Replaced.images, Replaced.unhealthy = (), frozenset()
    name = f"/newest/{next(NUMBERS)}"
    client("ssm").put_parameter(Name=name, Value=NEW, Type="String")
    return name


@pytest.fixture
def machines(newest: str) -> Replaced:
    machines = Replaced(f"image{next(NUMBERS)}")
    client("ssm").put_parameter(Name=machines.parameter, Value="1.0.0", Type="String")
    client("ssm").put_parameter(Name=machine_image.name_of(machines), Value=OLD, Type="String")
    return machines


def test_a_newer_image_is_pinned_and_every_machine_replaced_once(machines, newest):
    machine_image.renew(machines, QUICK, newest)
    again = machine_image.renew(machines, QUICK, newest)

    assert parameter(machine_image.name_of(machines)) == NEW
    assert Replaced.images == (NEW,)
    assert again == f"{NEW} is the newest image."


def test_machines_return_to_the_previous_image_if_those_of_the_newest_fail(machines, newest):
    Replaced.unhealthy = frozenset({NEW})

    with pytest.raises(DeploymentFailed, match="do not become healthy"):
        machine_image.renew(machines, QUICK, newest)

    assert parameter(machine_image.name_of(machines)) == OLD
    assert Replaced.images == (NEW, OLD)
