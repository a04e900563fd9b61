"""The error of the person who starts the agent."""


class UsageError(Exception):
    """One line: what is wrong, where, and what would be right."""
