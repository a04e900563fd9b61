class DeploymentFailed(Exception):
    """A step of the deployment failed; the message says which one, and with what result."""


class NoEarlierRelease(DeploymentFailed):
    """The list has no release to roll back to."""
