"""Serving: the releases that dashboards read.

What belongs here: building, checking, gating and publishing releases. What does not: routing decisions by
people, and the dashboards.
"""
