"""The bounded contexts of the pipeline: what each reads, accepts and publishes, on frames.

What belongs here: a folder a context. What does not: what all of them share (`validation`), and which of them
have moved into the pipeline (`registry`). Contexts know nothing of each other but published tables.
"""
