"""Parity: the proof that two relations agree, and the account of where they do not.

What belongs here: contracts, the comparison, and what is made of its result. What does not: which tables exist
and when they are built (`orchestration`), or any rule of the business.
"""
