"""`make bench`: every measurement, on the real set where it is, else on a synthetic one of its size.

What belongs here: the order of the measurements and their landing. What does not: any measurement.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from benchmarks import alone, audit, dashboards, parity, run, sales, soak
from olist_pipeline.synthetic import generate

REAL_SIZE = 99_441
BESIDE = Path(__file__).parents[2] / "shared" / "data" / "olist"


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="olist-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # the embedded server may run as a user of its own
        landing = Path(os.environ.get("OLIST_TEST_DATA") or BESIDE)
        if not landing.is_dir():
            landing = home / "landing"
            generate(landing, orders=REAL_SIZE, seed=1)
        print(f"landing: {'synthetic' if landing.is_relative_to(home) else 'real'}, {os.cpu_count()} cores\n")
        sales.measure(landing, home)
        run.measure(landing, home)
        soak.measure(landing, home)
        dashboards.measure(home / "run")
        alone.measure(landing, home)
        parity.measure_warehouse(home)
        parity.measure()
        parity.measure_wide()
        audit.measure(home)


if __name__ == "__main__":
    main()
