"""The content of a delivery in its language: a title and lines for people, and the same as data for machines.

Titles, such as that of an escalation, are in `content`, lines in `alerts` and `incidents`.
"""

from tms.notifications.messages.content import compose, message_of

__all__ = ["compose", "message_of"]
