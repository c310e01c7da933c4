"""The proof that replay read accepted rows and nothing else: what the manifest tells, and what DuckDB refused.

What belongs here: which nodes could read data past DuckDB's barrier, and the sentence for a model that ran into it.
What does not: the barrier (`barrier`), and which rows are accepted (`replay` of the pipeline).

The proof has two parts. What SQL can reach is closed off in DuckDB, so a model, a hook or a source that asks for
another file fails. What does not go through SQL is read of the manifest: models in Python, sources of plugins, and
seeds, whose rows come out of the project itself where their files are not those of landing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from olist_pipeline.migration.model import Migration
from olist_pipeline.migration.project import landing_file, loaded_seeds, said_of_source

_REFUSED = re.compile(r'Cannot access (?:file|directory) "([^"]+)"')
_NEEDS = re.compile(r"(?:exists in the|required extension) '?(\w+)")
_HOOK = re.compile(r"on-run-(?:start|end)")
REMEDY = "let it read landing as migration.yml says, or allow it there (`besides`, with a reason)"

VOUCH = "if it reads none but what is in DuckDB, say so (`besides`: extension, with a reason)"


def unproven(manifest: Mapping[str, Any], migration: Migration, nodes: Collection[str]) -> list[str]:
    """Return a sentence for each of `nodes` (unique ids) that could read what nobody accepted without being noticed."""
    made = set(nodes) - loaded_seeds(manifest, migration)
    return [*_of_nodes(manifest, migration, made), *_of_sources(manifest, nodes)]


def letting_in(migration: Migration, landing: Path) -> list[str]:
    """Return a sentence for each folder that `besides` allows and that holds landing itself."""
    named = {one.path: (migration.path.parent / one.path).resolve() for one in migration.besides if one.path}
    return [
        f"besides: {path} holds landing {landing}, whose rows nobody has accepted; name what lies beside it"
        for path, folder in named.items()
        if landing.resolve().is_relative_to(folder)
    ]


def refusal(error: str) -> str:
    """Return the sentence for an error of dbt that the barrier caused: all who asked; nothing for another error."""
    lines = error.splitlines()
    asked, needed = (
        list(dict.fromkeys(f"{_who(lines[max(place - 4, 0) : place + 1])} {verb} {found[1]}"
                           for place, line in enumerate(lines) if (found := pattern.search(line))))
        for verb, pattern in (("reads", _REFUSED), ("needs the extension", _NEEDS))
    )  # fmt: skip
    parts = [f"{', '.join(asked)}, where no accepted rows are; {REMEDY}"] if asked else []
    parts += (
        [f"{', '.join(needed)}, which replay does not load, for it may read data past DuckDB; {VOUCH}"]
        if needed
        else []
    )
    return f"Replay is no proof: {'; '.join(parts)}." if parts else ""


def _of_nodes(manifest: Mapping[str, Any], migration: Migration, nodes: Collection[str]) -> Iterator[str]:
    for uid in sorted(nodes):
        node = manifest["nodes"].get(uid, {})
        kind, name = node.get("resource_type"), node.get("name")
        if kind == "seed" and name not in migration.seeds and not landing_file(node, migration):
            yield (
                f"the seed {name} has rows of its own, which no validation accepted; if it is no data of landing, say "
                "so in `besides`, with a reason, and if it is, let `landing.folder` be the folder of its file, and "
                "name the file in `landing.files`"
            )
        config = node.get("config") or {}
        if kind == "model" and config.get("materialized") == "external" and config.get("location"):
            yield (
                f"the model {name} is written to {config['location']}, a place of its own, where replay would write "
                "it, too; let its `location` be dbt-duckdb's (below external_root), or leave its table out"
            )
        if kind == "model" and node.get("language") == "python":
            yield f"the model {name} is Python, which may read anything; write it in SQL, or leave its table out"


def _of_sources(manifest: Mapping[str, Any], nodes: Collection[str]) -> Iterator[str]:
    for uid in sorted(nodes):
        source = manifest["sources"].get(uid, {})
        if plugin := said_of_source(source).get("plugin"):
            yield f"the source {source['source_name']}.{source['name']} is read by the plugin {plugin}; read landing"


def _who(lines: list[str]) -> str:
    for line in reversed(lines):
        if hook := _HOOK.search(line):
            return f"a hook ({hook[0]})"
        if found := re.search(r"in (model|snapshot|seed) (\w+)", line):
            return f"the {found[1]} {found[2]}"
    return "something"
