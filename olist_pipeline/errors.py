"""The error that a person can cause and mend.

What belongs here: errors whose text is the whole message: what is wrong, where, what to do. What does not:
programming errors, which keep their traceback.
"""


class OlistError(Exception):
    """One clear sentence for a person; the command line prints it without a traceback and exits with 1."""
