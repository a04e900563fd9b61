"""The content of a delivery in its language: a title, lines for people, and the same as facts for machines."""

from tms.notifications.messages.content import compose, message_of

__all__ = ["compose", "message_of"]
