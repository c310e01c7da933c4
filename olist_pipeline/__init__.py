"""The pipeline: files, frames, stores and orchestration around the domain.

What belongs here: how data arrives, is validated with the domain's rules, is stored, compared and served.
What does not: a business rule, threshold or derivation (`olist_domain` has them, once).

Layers, each of which may use those below it: `cli`, `orchestration`, `serving`, `parity` and `audit`, the contexts
(`sales`), `intake`, `landing` and `staging`, `engine` and `stores`, and at the bottom `settings`, `files`
and `errors`. `synthetic` stands alone.
"""
