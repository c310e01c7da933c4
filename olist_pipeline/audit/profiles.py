"""What the `profiles.yml` of a project say: with which target dbt would run it, and the adapter of that.

What belongs here: finding these files and reading them, templates of them too. What does not: which dialect an adapter
speaks (`dialects`). A profile in somebody's home is outside of the project, and not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from olist_pipeline import yaml_text
from olist_pipeline.audit.project_files import UnreadableFileError, read_text, walk
from olist_pipeline.errors import OlistError

PROFILES = "profiles.yml"
PROD = "prod"
"""The target that templates are rendered for where nothing says one: logic that holds in production is looked for."""
HIDDEN = (".dbt", ".github", ".ci", ".circleci", ".devcontainer")
"""Folders with a point that hold profiles."""
ENDINGS = (".yml", ".yaml", ".example", ".sample", ".template", ".tmpl", ".tpl", ".j2", ".dist")
ADAPTER = re.compile(r"\btype[\"']?\s*:\s*[\"']?(\w+)\b")
OF_ENVIRONMENT = re.compile(r"\{\{\s*env_var\(\s*['\"]\w+['\"]\s*,\s*['\"]([^'\"{}]*)['\"]\s*\)[^{}]*\}\}")


@dataclass(frozen=True)
class Target:
    """A target of dbt.

    adapters: what may be its adapter, as dbt names them. file: what says so, '' where nothing does.
    """

    name: str = PROD
    adapters: tuple[str, ...] = ()
    file: str = ""


def targets_of(root: Path, settings: Mapping[str, Any], named: str = "") -> Iterator[Target]:
    """Yield the target of the project's profile by each file that says one, the nearest first.

    `named` is the target that a person asks for. Raises OlistError where the profile that dbt would take has none of
    that name.
    """
    for path in _files(root):
        try:
            text = read_text(path, root)
        except UnreadableFileError:
            continue
        file = path.relative_to(root).as_posix()
        if (outputs := _outputs(text, settings)) is None:
            yield Target(named or PROD, tuple(ADAPTER.findall(text)), file)
            continue
        chosen, known = outputs
        if named and named not in known and path == root / PROFILES:
            raise OlistError(f"{path} has no target {named!r}; there are: {', '.join(known)}.")
        output = known.get(named or chosen) or known.get(chosen)
        kind = output.get("type") if isinstance(output, Mapping) else None
        adapters = (kind,) if isinstance(kind, str) and "{" not in kind else tuple(ADAPTER.findall(text))
        yield Target(named or (chosen if "{" not in chosen else PROD), adapters, file)


def _outputs(text: str, settings: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    """Return the target of the project's profile, and its outputs; None where the text is a template, and no YAML yet.

    Of several profiles without the project's own among them it is the first one's.
    """
    try:
        profiles = yaml_text.parse(text)
    except yaml_text.YamlError:
        return None
    named = {str(name): part for name, part in profiles.items()} if isinstance(profiles, Mapping) else {}
    own = named.get(str(settings.get("profile")))
    for profile in [own] if own is not None else named.values():
        outputs = profile.get("outputs") if isinstance(profile, Mapping) else None
        if isinstance(outputs, Mapping) and outputs:
            known = {str(name): output for name, output in outputs.items()}
            target = OF_ENVIRONMENT.sub(r"\1", str(profile.get("target") or "default"))
            return next(name for name in (target, PROD, next(iter(known))) if name in known), known
    return None


def _files(root: Path) -> list[Path]:
    folders = (root, *(root / name for name in HIDDEN if (root / name).is_dir() and not (root / name).is_symlink()))
    found = [
        path
        for folder in folders
        for path in walk(folder, ENDINGS)
        if "profiles" in path.name.lower() and len(path.relative_to(root).parts) <= 3
    ]
    return sorted(found, key=lambda path: (len(path.parts), path.name != PROFILES, path.as_posix()))
