"""The command line, `olist`.

What belongs here: commands, what they print and their exit codes. What does not: work; a command calls the
package that does it.
"""

from __future__ import annotations

from olist_pipeline.cli.main import main

__all__ = ["main"]
