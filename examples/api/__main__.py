"""`python -m examples.api`: the service on this machine, over the database that the pipeline uses."""

from __future__ import annotations

import argparse

import uvicorn

from examples.api.app import create_app
from examples.ending import one_sentence, port
from olist_pipeline.settings import Settings
from olist_pipeline.stores.schema import ready_url


def main() -> None:
    """Serve until somebody ends it."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.api", description="Orders under the rules of olist_domain."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=port, default=8080)
    given = parser.parse_args()
    with one_sentence("examples.api"):
        app = create_app(ready_url(Settings.from_env()))
        uvicorn.run(app, host=given.host, port=given.port, access_log=False)


if __name__ == "__main__":
    main()
