"""`python -m examples.stream`: one worker of the consumer; start as many as you like."""

from __future__ import annotations

from examples.ending import one_sentence
from examples.stream import sales
from examples.stream.consumer import Consumer
from olist_pipeline.settings import Settings
from olist_pipeline.stores.schema import ready_url


def main() -> None:
    """Follow the store until somebody ends it; it may be ended in any way at any moment."""
    with one_sentence("examples.stream"):
        url = ready_url(Settings.from_env())
        sales.create_table(url)
        Consumer(url, "orders", sales.apply).run(until=lambda: False)


if __name__ == "__main__":
    main()
