"""The marketplace context: who sells what: sellers, products, categories and reviews.

What belongs here: the language of this context. What does not: anything of another context's inside.
"""
