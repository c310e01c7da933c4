"""Orchestration: the pipeline as a Dagster asset graph.

What belongs here: assets, checks, jobs and resources that call the pipeline's steps. What does not: what the
steps do (the other packages can run without Dagster).
"""
