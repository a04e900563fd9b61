"""Terminals whose updater speaks the device API of hawkBit (DDI, v1), such as swupdate.

They have no link: they poll. An order is the same command `update` as over the link; here it is shown as an *action*,
and feedback about an action becomes the progress and the answer of the command.
"""
