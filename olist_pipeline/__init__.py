"""The pipeline: files, frames, stores and orchestration around the domain.

What belongs here: how data arrives, is validated with the domain's rules, is stored, compared and served.
What does not: a business rule, threshold or derivation (`olist_domain` has them, once).

Its layers, each of which may use those below it, are in `.importlinter`; `synthetic` stands alone.
"""
