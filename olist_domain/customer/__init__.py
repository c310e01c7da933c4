"""The customer context: who buys: persons, their addresses, segments and loyalty.

What belongs here: the language of this context. What does not: anything of another context's inside.
"""
