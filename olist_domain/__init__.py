"""The business of the marketplace: value objects, entities, aggregates, rules, derivations and events.

What belongs here: everything that would still be true if the data came from another source and went
to another store. What does not: files, frames, databases, orchestration and the clock (time is passed
in). The package imports the standard library and pydantic only; an import contract keeps it so.

Layout is by bounded context first (`sales`, `customer`, `marketplace`, `fulfillment`), then by role.
`kernel` is what the contexts share.
"""
