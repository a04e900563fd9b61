"""The content of a delivery in its language: a title and lines for people, and the same as data for machines."""

from tms.notifications.messages.content import compose, message_of

__all__ = ["compose", "message_of"]
