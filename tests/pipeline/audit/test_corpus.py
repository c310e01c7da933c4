"""The labelled corpus: what an expert calls business logic is found, and little else."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from olist_pipeline.audit.jinja import MacroText, Renderer
from olist_pipeline.audit.model import Clause
from olist_pipeline.audit.reading import Job, Reader

CORPUS = Path(__file__).parent / "corpus"
LEAST_SNIPPETS, LEAST_SHARE = 260, 0.95


@dataclass(frozen=True)
class Snippet:
    dialect: str
    name: str
    sql: str
    macros: str
    findings: frozenset[tuple[str, str]]
    technical: frozenset[str]


def snippets() -> list[Snippet]:
    return [
        Snippet(
            entry.get("dialect", file.stem),
            entry["name"],
            entry["sql"],
            entry.get("macros", ""),
            frozenset(pair for found in entry["findings"] for pair in found.items()),
            frozenset(entry.get("technical", [])),
        )
        for file in sorted(CORPUS.glob("*.yml"))
        for entry in yaml.safe_load(file.read_text("utf-8"))
    ]


SNIPPETS = snippets()


def found_in(snippet, folder):
    """Return what the audit finds in a snippet, as the labels say it."""
    file = folder / "model.sql"
    file.write_text(snippet.sql, "utf-8")
    macros = [MacroText("project", "macros.sql", snippet.macros)] if snippet.macros else []
    reader = Reader(snippet.dialect, Renderer(macros, {}, snippet.dialect, "project"), folder)
    audited = reader.audit(Job(str(file), file.name, None))
    assert audited.problems == (), snippet.name
    return {(_place(finding), str(finding.kind)) for finding in audited.findings}


def _place(finding):
    is_column = finding.clause in (Clause.SELECT, Clause.SET)
    return finding.column if is_column else f"{finding.clause} {finding.column}"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What the audit finds in each snippet."""
    folder = tmp_path_factory.mktemp("corpus")
    return [(snippet, found_in(snippet, folder)) for snippet in SNIPPETS]


def test_the_corpus_is_large_and_says_both_what_is_logic_and_what_is_not():
    assert len(SNIPPETS) >= LEAST_SNIPPETS
    assert len({snippet.dialect for snippet in SNIPPETS}) >= 10
    assert len({snippet.name for snippet in SNIPPETS}) == len(SNIPPETS)
    assert sum(not snippet.findings for snippet in SNIPPETS) >= LEAST_SNIPPETS // 4
    assert sum(len(snippet.findings) for snippet in SNIPPETS) >= LEAST_SNIPPETS


def test_precision_and_recall(found, capsys):
    right, false, missed = 0, [], []
    for snippet, pairs in found:
        right += len(pairs & snippet.findings)
        false += [f"{snippet.dialect}: {snippet.name}: {pair}" for pair in sorted(pairs - snippet.findings)]
        missed += [f"{snippet.dialect}: {snippet.name}: {pair}" for pair in sorted(snippet.findings - pairs)]
    precision, recall = right / (right + len(false)), right / (right + len(missed))
    with capsys.disabled():
        print(f"\naudit corpus: {len(SNIPPETS)} snippets, precision {precision:.3f}, recall {recall:.3f}")
    assert precision >= LEAST_SHARE, "\n".join(["found, and no logic:", *false])
    assert recall >= LEAST_SHARE, "\n".join(["not found:", *missed])


def test_what_is_technical_is_not_found(found):
    taken = [(snippet, {place for place, _ in pairs} & snippet.technical) for snippet, pairs in found]
    assert [f"{snippet.dialect}: {snippet.name}: {places}" for snippet, places in taken if places] == []
