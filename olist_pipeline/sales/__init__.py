"""The sales context in the pipeline: its validation step.

What belongs here: how frames of orders, items and payments are judged, split and told as events. What does
not: a rule (see `olist_domain.sales`), and orchestration.
"""
