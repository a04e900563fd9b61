"""The image of machines, with their operating system: pinned in a parameter, and renewed together with the machines.

Packages of Amazon Linux 2023 are those of its image, so a machine is patched by replacing it.
"""

from deploy.aws import client, parameter
from deploy.pipeline.ec2 import Machines
from deploy.pipeline.failure import DeploymentFailed
from deploy.pipeline.polling import Polling

NEWEST = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
"""A public parameter of AWS."""


def renew(machines: Machines, polling: Polling, newest: str = NEWEST) -> str:
    """Pin the newest image and replace every machine; return what was done. Raises DeploymentFailed.

    If a machine with it does not become healthy, the previous image is pinned again, and the machines return to it.
    """
    pinned, found = parameter(name_of(machines)), parameter(newest)
    if pinned == found:
        return f"{pinned} is the newest image."
    pin(machines, found)
    try:
        machines.roll_out(machines.current(), polling)
    except DeploymentFailed:
        pin(machines, pinned)
        machines.roll_out(machines.current(), polling)
        raise
    return f"Machines of {found} replaced those of {pinned}."


def name_of(machines: Machines) -> str:
    return f"/{machines.name}/machine-image"


def pin(machines: Machines, image: str) -> None:
    """Pin an image. Systems Manager refuses one that does not exist, because of the data type of the parameter."""
    client("ssm").put_parameter(
        Name=name_of(machines), Value=image, Type="String", DataType="aws:ec2:image", Overwrite=True
    )
    print(f"{name_of(machines)} is {image}", flush=True)
