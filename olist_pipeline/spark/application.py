"""The application of Spark in which an invocation of dbt worked.

What belongs here: what is read of an invocation that somebody else started. What does not: an application of this
process (`session`), and what is set of one (`trees`).

dbt starts and ends Spark by itself; the project says the id once it is there (`sources_as_views` of its macros).
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

_ID = re.compile(r"spark\.app\.id is ([\w.-]+)")


def application_of(master: str, target: Path) -> dict[str, str]:
    """Return where the last invocation with the folder of artifacts `target` worked: its master, and its application.

    Without the latter where the project does not say it.
    """
    found: list[str] = []
    with suppress(OSError):
        found = _ID.findall((target / "dbt.log").read_text("utf-8", "replace"))
    return {"spark_master": master, **({"spark_application": found[-1]} if found else {})}
