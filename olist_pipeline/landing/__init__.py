"""Landing: the folder of the nine Olist CSV files, as they arrive.

What belongs here: which files there are and whether a file can be read at all. What does not: the meaning
of a cell (`intake` casts and validates it).
"""
