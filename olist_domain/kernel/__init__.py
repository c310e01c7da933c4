"""The shared kernel: value objects and the framework in which rules, derivations and events are written.

What belongs here: what two or more contexts need and mean alike. What does not: a rule, a derivation
or an event of one context.
"""
