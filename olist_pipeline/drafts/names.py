"""Names in Python for what a project calls otherwise.

What belongs here: making a name of a text. What does not: which names a draft needs (`scaffold`).
"""

from __future__ import annotations

import builtins
import re
from keyword import iskeyword

NO_FUNCTIONS = frozenset({"annotations", "choose", "dataclass", "datetime", "derivation", "rule", *dir(builtins)})
"""Names that a draft of rules imports, and Python's own: a function of such a name would take its place."""


def identifier(text: str) -> str:
    """Return a text as a name in Python, in lower case."""
    name = re.sub(r"\W+", "_", text).strip("_").lower() or "unnamed"
    return f"of_{name}" if not name.isidentifier() or iskeyword(name) or name in NO_FUNCTIONS else name
