"""The fulfillment context: how orders reach customers: deliveries and geography.

What belongs here: the language of this context. What does not: anything of another context's inside.
"""
