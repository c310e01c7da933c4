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


class Context:
    """What a session tells of its cluster; executors come one after the other, of two cores each."""

    def __init__(self, conf, comes=()):
        self.conf, self.comes, self.here = conf, list(comes), 0
        self._jsc = self.sparkContext = self

    def getConf(self):  # noqa: N802 - Spark's own name
        return self.conf

    def sc(self):
        return self

    def getExecutorMemoryStatus(self):  # noqa: N802 - Spark's own name
        self.here = self.comes.pop(0) if self.comes else self.here
        return self

    def size(self):
        return self.here + 1

    @property
    def defaultParallelism(self):  # noqa: N802 - Spark's own name
        return max(2, 2 * self.here)


@pytest.mark.spark
@pytest.mark.parametrize(
    ("master", "conf", "comes", "cores"),
    [
        ("local[2]", {}, (), 2),
        ("spark://host:1", {"spark.cores.max": "12"}, (), 12),
        ("yarn", {"spark.executor.instances": "3", "spark.executor.cores": "4"}, (), 12),
        ("yarn", {"spark.executor.instances": "3", "spark.executor.cores": "4", "spark.task.cpus": "2"}, (), 6),
        ("k8s://host", {"spark.dynamicAllocation.maxExecutors": "5", "spark.executor.cores": "2"}, (), 10),
        ("spark://host:1", {"spark.default.parallelism": "7", "spark.cores.max": "12"}, (), 7),
        ("spark://host:1", {}, (0, 0, 1, 3, 4), 8),
        ("spark://host:1", {}, (), 2),
    ],
)
def test_the_cores_of_a_cluster_are_those_it_will_have(monkeypatch, master, conf, comes, cores):
    from olist_pipeline.spark import session

    monkeypatch.setattr(session, "WAIT_SECONDS", 1.0)
    monkeypatch.setattr(session, "SETTLED_SECONDS", 0.3)
    assert session.cores_of(Context(conf, comes), master) == cores
