class DeploymentFailed(Exception):
    """A step of the deployment did not do what it should; the message says which, and what was seen."""


class NothingBefore(DeploymentFailed):
    """There is nothing to go back to."""
