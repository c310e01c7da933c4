"""Validation: what every context's steps are made of.

What belongs here: staged tables, steps, their inputs, and the split of validated rows into accepted and
quarantined ones. What does not: any particular context, and when a step runs (`steps` and the orchestration).
"""
