"""Approval by a second person: actions above a threshold wait until a colleague on shift approves them.

An app registers each kind of action (`tms.approvals.kinds`), so that this package needs no model but people.
"""
