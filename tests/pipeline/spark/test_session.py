"""The session of this process: which one ends with its step."""

import pytest


class Session:
    """A session that remembers whether it was stopped."""

    is_stopped = False

    def stop(self):
        self.is_stopped = True


@pytest.mark.spark
@pytest.mark.parametrize(
    ("master", "ends"),
    [
        ("spark://host:7077", True),
        ("yarn", True),
        ("k8s://https://host", True),
        ("local[3]", False),
        ("sc://host", False),
    ],
)
def test_what_holds_executors_of_a_cluster_ends_with_its_step(monkeypatch, master, ends):
    from olist_pipeline.spark import session

    at_work = Session()
    monkeypatch.setattr(session, "_sessions", {master: at_work})
    for _ in range(2):
        session.leave(master)
        assert at_work.is_stopped == ends
        assert (master in session._sessions) != ends
