"""Both programs: what a person can mend ends in one sentence, and Ctrl+C in none."""

import pytest

from examples.api.__main__ import main as serve
from examples.stream.__main__ import main as follow


@pytest.mark.parametrize(("program", "name"), [(serve, "examples.api"), (follow, "examples.stream")])
def test_a_setting_that_cannot_be_meant_is_one_sentence(program, name, monkeypatch):
    monkeypatch.setenv("OLIST_POSTGRES_URL", "nonsense")
    monkeypatch.setattr("sys.argv", [name])
    with pytest.raises(SystemExit, match=f"{name}: OLIST_POSTGRES_URL must look like"):
        program()


def test_ctrl_c_ends_a_worker_without_a_word(monkeypatch, capsys):
    def interrupted(settings):
        raise KeyboardInterrupt

    monkeypatch.setattr("examples.stream.__main__.reading_url", interrupted)
    with pytest.raises(SystemExit) as end:
        follow()
    assert (end.value.code, capsys.readouterr()) == (130, ("", ""))


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "\u0662\u00b2"])
def test_what_is_no_port_is_a_mistake_of_typing(port, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["examples.api", f"--port={port}"])
    with pytest.raises(SystemExit, match="2"):
        serve()
    assert "is no port; take one of 1 to 65535" in capsys.readouterr().err
