"""Which landing file the columns of a finding come from.

What belongs here: the choice among the files of a context, and the words for what is not known. What does not: the
lineage itself (`audit.origins`), and the text of a draft (`scaffold`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from olist_pipeline.audit.model import Finding


@dataclass(frozen=True)
class Placement:
    """The file that a draft is put to, and what is not known about that, as sentences for the draft."""

    file: str
    notes: tuple[str, ...] = ()


Fields = Mapping[str, str]
"""The fields of a file's record, by what the file calls their columns."""


def placed(finding: Finding, columns: Mapping[str, Fields], sources: Mapping[str, str]) -> Placement:
    """Return the file of a finding; `columns` has those of each file that the context validates, in their order.

    `sources` says which file a source table of the old project is (`raw.rides`), as far as the migration file does.
    """
    tables = _tables(columns, sources)
    read: dict[str, list[str]] = {file: [] for file in columns}
    lost: list[str] = []
    for origin in finding.origins or _tested(finding):
        if found := _found(origin, tables, columns):
            file, field = found
            read[file].append(field)
        else:
            lost.append(origin.strip("."))
    return _chosen(read, lost, list(columns))


def _tested(finding: Finding) -> tuple[str, ...]:
    """Return the column of a data test, which has a name and no SQL that leads further."""
    return (f".{finding.column}",) if finding.column and finding.file.endswith((".yml", ".yaml")) else ()


def _found(origin: str, tables: Mapping[str, str], columns: Mapping[str, Fields]) -> tuple[str, str] | None:
    """Return the file and the field of a column that SQL reads; points may stand in either's name."""
    parts = origin.split(".") if "." in origin else ["", origin]
    for count in range(len(parts) - 1, 0, -1):
        relation, column = ".".join(parts[:count]), ".".join(parts[count:])
        file = tables.get(_bare(relation)) if relation else _only_file_with(column, columns)
        if file and (field := _named(column, columns[file])):
            return file, field
    return None


def _chosen(read: Mapping[str, Sequence[str]], lost: Sequence[str], files: Sequence[str]) -> Placement:
    known = {file: names for file, names in read.items() if names}
    most = max(files, key=lambda file: len(read[file]))
    notes = []
    if len(known) > 1:
        said = ", ".join(f"{file} ({', '.join(names)})" for file, names in known.items())
        notes.append(f"It reads columns of several files: {said}. One row of {most} does not say it alone.")
    if lost and known:
        notes.append(f"Of none of the files: {', '.join(lost)}.")
    elif not known and len(files) > 1:
        read_from = f"; it reads {', '.join(lost)}" if lost else "; it reads no column"
        notes.append(f"NOT KNOWN which file its columns come from{read_from}. It stands at {most}, the first: move it.")
    elif lost:
        notes.append(f"Not found in {most}: {', '.join(lost)}.")
    return Placement(most, tuple(notes))


def _tables(columns: Collection[str], sources: Mapping[str, str]) -> dict[str, str]:
    """Return the files by the names under which SQL may read them: a source, a file, or a table called like it."""
    found: dict[str, str] = {}
    for file in columns:
        found[Path(file).stem.lower()] = file
        # `read_csv` is followed by the name of the file itself.
        found[Path(file).name.lower()] = file
    for source, file in sources.items():
        if file in columns:
            found[_bare(source)] = file
    return found


def _bare(relation: str) -> str:
    name = relation.lower()
    return name if Path(name).suffix in (".csv", ".parquet", ".gz") else name.rpartition(".")[2]


def _only_file_with(column: str, columns: Mapping[str, Fields]) -> str | None:
    """Return the file that alone has a column; None where several have it, or none."""
    found = [file for file, names in columns.items() if _named(column, names)]
    return found[0] if len(found) == 1 else None


def _named(column: str, fields: Fields) -> str | None:
    """Return the field whose column SQL calls so: small and capital letters are one to it."""
    plain = re.sub(r"\W", "_", column.lower())
    return next((field for said, field in fields.items() if re.sub(r"\W", "_", said.lower()) == plain), None)
