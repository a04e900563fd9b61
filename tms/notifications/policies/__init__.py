"""Policies: who is notified of what, step by step.

`next_step` decides what an escalation does next and when; `steps` names whom a step notifies; `schedule` holds active
hours.
"""
