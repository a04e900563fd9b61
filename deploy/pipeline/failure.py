"""What can go wrong in a deployment."""


class DeploymentFailed(Exception):
    """A step of the deployment failed; the message names it and the result."""


class NoEarlierRelease(DeploymentFailed):
    """The list has no release to roll back to."""
