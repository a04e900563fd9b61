"""Correlates alerts of one rule at terminals that have something in common: "paper low at 40 with firmware 4.2.1".

Rules on presence have a correlation of their own, because lost terminals are counted instead of alerts.
"""
