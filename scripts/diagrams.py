"""Print docs/diagrams.md: diagrams of what the code declares, as mermaid.

What belongs here: drawing. What does not: anything that a diagram says which no code does.
"""

from __future__ import annotations

import configparser
from collections.abc import Iterable
from pathlib import Path

from olist_domain.sales.status import NEXT_STATUSES
from olist_pipeline.registry import CONTEXTS, event_types

PROJECT = Path(__file__).parents[1]

PAGE = """# Diagrams

Drawn from the code by `scripts/diagrams.py`; a test says when they are not what it says:

```sh
.venv/bin/python scripts/diagrams.py > docs/diagrams.md
```

## What reads what

Each validation step with the landing tables and the published tables of other steps that it reads, as its context
declares them. A step can read nothing else.

{steps}

## The way of an order

The statuses that may follow a status; the aggregate refuses every other way.

{statuses}

## What happens

The events of each aggregate.

{events}

## Layers

A package imports only what stands below it; `lint-imports` holds it so.

{layers}
"""


def page() -> str:
    """Return the whole page."""
    parts = {"steps": _steps(), "statuses": _statuses(), "events": _events(), "layers": _layers()}
    return PAGE.format(**{name: f"```mermaid\n{chr(10).join(lines)}\n```" for name, lines in parts.items()})


def _steps() -> Iterable[str]:
    yield "flowchart LR"
    made_by = {f"{t.context}/{t.name}": step.name for c in CONTEXTS.values() for step in c.steps for t in step.tables}
    for context in CONTEXTS.values():
        yield f"  subgraph {context.name}"
        for step in context.steps:
            tables = "<br/>".join(table.name for table in step.tables)
            yield f'    step_{step.name}["<b>{step.name}</b>{", by month" if step.is_monthly else ""}<br/>{tables}"]'
        yield "  end"
    for context in CONTEXTS.values():
        for step in context.steps:
            yield from (f"  landing_{table}[/{table}/] --> step_{step.name}" for table in step.intake)
            read = sorted({made_by[table] for table in step.published})
            yield from (f"  step_{other} ==> step_{step.name}" for other in read if other != step.name)


def _statuses() -> Iterable[str]:
    yield "stateDiagram-v2"
    yield "  [*] --> created"
    for status, following in NEXT_STATUSES.items():
        yield from (f"  {status} --> {then}" for then in following)
        if not following:
            yield f"  {status} --> [*]"


def _events() -> Iterable[str]:
    yield "flowchart LR"
    # Tests that run in the same process have events of their own.
    ours = [kind for kind in event_types() if kind.__module__.startswith("olist_domain.")]
    for kind in sorted(ours, key=lambda kind: (kind.context, kind.aggregate_type, kind.__name__)):
        yield f"  {kind.context}([{kind.context}]) --> {kind.aggregate_type} --> {kind.__name__}"


def _layers() -> Iterable[str]:
    contracts = configparser.ConfigParser()
    contracts.read(PROJECT / ".importlinter")
    layers = contracts["importlinter:contract:layers-of-the-pipeline"]["layers"].split("\n")
    yield "flowchart TB"
    named = [line.strip().replace("olist_pipeline.", "") for line in layers if line.strip()]
    yield from (f'  layer{number}["{name}"]' for number, name in enumerate(named))
    yield "  " + " --> ".join(f"layer{number}" for number in range(len(named)))


if __name__ == "__main__":
    print(page(), end="")
