"""What became of mutants in a run that was interrupted: the next one goes on from there.

What belongs here: the file of fates, and when it says nothing of a tree. What does not: trying mutants.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

FATES = "fates-{}.jsonl"


def tree_hash(tree: Path) -> str:
    """Return a hash of all that decides what becomes of a mutant: the Python of a tree, and its packages."""
    digest = hashlib.sha256()
    for path in sorted((*tree.rglob("*.py"), *tree.glob("requirements-dev.lock"))):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(tree)} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Fates:
    """The fates of mutants of one tree, each with what is shown of it, by the mutant's name; kept as they come."""

    file: Path
    known: dict[str, tuple[str, Sequence[str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, tree: Path, folder: Path) -> "Fates":
        """Return what `folder` keeps of a tree, and remove what it keeps of others."""
        file = folder / FATES.format(tree_hash(tree))
        for other in folder.glob(FATES.format("*")):
            if other != file:
                other.unlink()
        # The last line of a run that was killed may be cut off.
        lines = file.read_text().splitlines(keepends=True) if file.exists() else []
        whole = [line for line in lines if line.endswith("\n")]
        if len(whole) < len(lines):
            file.write_text("".join(whole))
        return cls(file, {name: (fate, shown) for name, fate, shown in map(json.loads, whole)})

    def keep(self, name: str, fate: str, shown: Sequence[str]) -> None:
        """Keep the fate of a mutant."""
        with self.file.open("a") as file:
            file.write(json.dumps([name, fate, list(shown)]) + "\n")

    def forget(self) -> None:
        """Remove all that is kept: a run has come to its end."""
        self.file.unlink(missing_ok=True)
