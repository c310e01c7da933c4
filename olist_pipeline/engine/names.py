"""Names of the columns that the engine adds to a frame.

What belongs here: these names, for whoever reads such columns from a file. What does not: filling them (`rulebooks`).
"""

REJECTS = "rejects"
FLAGS = "flags"
