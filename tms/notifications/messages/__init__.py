"""What a delivery says, in its language: a title, lines for people, and the same as facts for machines."""

from tms.notifications.messages.content import message_of, worded

__all__ = ["message_of", "worded"]
