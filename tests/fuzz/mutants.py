"""Mutants: a small valid landing, spoiled as people and their tools spoil files.

What belongs here: drawing what is done to the files. What does not: what must become of them.
"""

import csv
import gzip
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st

from olist_pipeline.registry import LANDING
from olist_pipeline.synthetic import generate
from tests.fuzz.values import BOM, BYTES, EXTRA_NAMES, FOOTERS, MOMENTS, NUMBERS, TEXTS

Files = dict[str, bytes]
"""File name -> content; a file that is not there is missing."""

Draw = Callable[[st.SearchStrategy[Any]], Any]

FILES = [table.file for table in LANDING.values()]


@cache
def valid_files() -> Files:
    """Return a landing of a few orders, with the quirks of the generator and few points."""
    with TemporaryDirectory() as folder:
        generate(Path(folder), orders=14, seed=5)
        files = {name: (Path(folder) / name).read_bytes() for name in FILES}
    people = files["olist_customers_dataset.csv"].splitlines()[1:] + files["olist_sellers_dataset.csv"].splitlines()[1:]
    zips = [person.split(b",")[-3] for person in people]
    header, *points = files["olist_geolocation_dataset.csv"].splitlines(keepends=True)
    # A few orders live in other places than the points: these move there.
    moved = [b",".join([zips[n % len(zips)], *point.split(b",")[1:]]) for n, point in enumerate(points[:25])]
    files["olist_geolocation_dataset.csv"] = b"".join([header, *moved])
    name = "product_category_name_translation.csv"
    files[name] = b"".join(files[name].splitlines(keepends=True)[:12]).rstrip()
    return files


@dataclass(frozen=True)
class Sheet:
    """A file as its cells, the header first; `changed` cells are quoted where they must be."""

    lines: list[list[str]]

    @classmethod
    def of(cls, content: bytes) -> "Sheet | None":
        """Return the cells of a file that is still plain CSV, None for another."""
        try:
            text = content.decode("utf-8")
            lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        except (UnicodeDecodeError, csv.Error):
            return None
        return cls([line for line in lines if line]) if len(lines) > 1 else None

    def written(self) -> bytes:
        """Return the file anew."""
        return "".join(",".join(map(_quoted, line)) + "\n" for line in self.lines).encode("utf-8", "surrogatepass")


def _quoted(text: str) -> str:
    if any(char in text for char in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


@st.composite
def mutants(draw: Draw) -> tuple[Files, list[str]]:
    """Draw the files of a mutant, and what was done to them."""
    files, done = dict(valid_files()), []
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 2, 3, 5]))):
        name = draw(st.sampled_from(FILES))
        if name not in files:
            continue
        edit = draw(st.sampled_from(EDITS))
        done.append(f"{edit.__name__} {name}")
        edit(draw, files, name)
    return files, done


def change_cells(draw: Draw, files: Files, name: str) -> None:
    sheet = Sheet.of(files[name])
    if not sheet or len(sheet.lines) < 2:
        return
    for _ in range(draw(st.integers(1, 3))):
        line = sheet.lines[draw(st.integers(1, len(sheet.lines) - 1))]
        place = draw(st.integers(0, len(line) - 1))
        line[place] = _new_text(draw, line[place])
    files[name] = sheet.written()


def _new_text(draw: Draw, text: str) -> str:
    other = draw(st.sampled_from([*MOMENTS, *NUMBERS, *TEXTS]))
    return draw(
        st.sampled_from(
            [other, other, other, f" {text}", f"{text} ", f"\t{text}", f"{text}\n", text.upper(), text[:-1]]
        )
    )


def change_column(draw: Draw, files: Files, name: str) -> None:
    """Write all cells of a column as another tool would."""
    sheet = Sheet.of(files[name])
    if not sheet:
        return
    place = draw(st.integers(0, len(sheet.lines[0]) - 1))
    change = draw(
        st.sampled_from(
            [
                lambda text: text.split(" ")[0],
                lambda text: text.split(" ")[0] + " 00:00:00" if text else text,
                lambda text: text.replace(" ", "T"),
                lambda text: f"{text}.0" if text.isdigit() else text,
                lambda text: text or "NULL",
                lambda text: text or "nan",
                lambda text: text.replace(".", ","),
                lambda text: f" {text} ",
                str.upper,
                str.title,
                lambda text: text.lstrip("0"),
                lambda text: f"{text}Z",
                lambda _: "",
                lambda _: "same",
            ]
        )
    )
    for line in sheet.lines[1:]:
        if place < len(line):
            line[place] = change(line[place])
    files[name] = sheet.written()


def change_records(draw: Draw, files: Files, name: str) -> None:
    """Lose, repeat, swap, lengthen or shorten records."""
    lines = files[name].split(b"\n")
    if len(lines) < 4:
        return
    at, other = draw(st.integers(1, len(lines) - 2)), draw(st.integers(1, len(lines) - 2))
    kind = draw(st.integers(0, 9))
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(at, lines[other])
    elif kind == 2:
        lines[at], lines[other] = lines[other], lines[at]
    elif kind == 3:
        lines[at] += draw(st.sampled_from([b",", b",x", b",,,,", b',"a,b"', b"," * 40]))
    elif kind == 4:
        lines[at] = lines[at].rsplit(b",", draw(st.integers(1, 3)))[0]
    elif kind == 5:
        lines.insert(at, draw(st.sampled_from(FOOTERS)))
    elif kind == 6:
        lines[at] = draw(st.sampled_from(FOOTERS))
    elif kind == 7:
        lines = lines[:1] + [line + b"," for line in lines[1:-1]] + lines[-1:]
    elif kind == 8:
        lines[min(at, other) : max(at, other)] = []
    else:
        lines[1:-1] = lines[1:-1] + lines[1:-1]
    files[name] = b"\n".join(lines)


def change_header(draw: Draw, files: Files, name: str) -> None:
    header, *lines = files[name].split(b"\n")
    kind = draw(st.integers(0, 10))
    extra = draw(st.sampled_from(EXTRA_NAMES)).encode()
    if kind == 0:
        header += b","
    elif kind == 1:
        header, lines = header + b",", [line + b"," if line else line for line in lines]
    elif kind == 2:
        header, lines = header + b"," + extra, [line + b",7" if line else line for line in lines]
    elif kind == 3:
        header, lines = extra + b"," + header, [b"7," + line if line else line for line in lines]
    elif kind == 4:
        header, lines = b"," + header, [b"7," + line if line else line for line in lines]
    elif kind == 5:
        lines.insert(0, header)
        header = draw(st.sampled_from([b"sep=,", b"# comment", b"", b"Export of today", b"  ", b'"sep=,"', b"\0"]))
    elif kind == 6:
        header = header.replace(b'"', b"").upper()
    elif kind == 7:
        header = header.replace(b"_id", b"_key", 1)
    elif kind == 8:
        header = header.replace(b",", b", ")
    elif kind == 9:
        header = header + b"," + header.split(b",")[0]
    else:
        header = header.rsplit(b",", 1)[0]
    files[name] = b"\n".join([header, *lines])


def move_columns(draw: Draw, files: Files, name: str) -> None:
    """Reorder, drop or double columns."""
    sheet = Sheet.of(files[name])
    if not sheet:
        return
    width = len(sheet.lines[0])
    order = draw(st.permutations(range(width)))
    order = order[: width - draw(st.sampled_from([0, 0, 0, 1]))]
    files[name] = Sheet([[line[i] for i in order if i < len(line)] for line in sheet.lines]).written()


def change_bytes(draw: Draw, files: Files, name: str) -> None:
    content = files[name]
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(content)))
        new = draw(st.sampled_from(BYTES))
        cut = draw(st.sampled_from([0, 0, 1, 2]))
        content = content[:at] + new + content[at + cut :]
    files[name] = content


def end_early(draw: Draw, files: Files, name: str) -> None:
    files[name] = files[name][: draw(st.integers(0, len(files[name])))]


def change_ends(draw: Draw, files: Files, name: str) -> None:
    content, half = files[name], len(files[name]) // 2
    kind = draw(st.integers(0, 7))
    crlf = content.replace(b"\n", b"\r\n")
    files[name] = [
        crlf,
        content.replace(b"\n", b"\r"),
        content.replace(b"\n", b"\r\r\n"),
        content[:half] + content[half:].replace(b"\n", b"\r\n"),
        content.rstrip(b"\n"),
        crlf.removesuffix(b"\r\n"),
        content.replace(b"\n", b"\n\n"),
        content + b"\n" * draw(st.integers(1, 4)),
    ][kind]


def change_encoding(draw: Draw, files: Files, name: str) -> None:
    content = files[name].removeprefix(BOM)
    text = content.decode("utf-8", "replace") + draw(st.sampled_from(["", "ç“”\n"]))
    encoding = draw(
        st.sampled_from(
            ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "cp850", "mac-roman"]
        )
    )
    files[name] = text.encode(encoding, "replace")


def change_kind(draw: Draw, files: Files, name: str) -> None:
    content = files[name]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr(draw(st.sampled_from([name, "xl/workbook.xml", "../" + name])), content)
    files[name] = draw(
        st.sampled_from(
            [
                gzip.compress(content),
                archive.getvalue(),
                b"",
                b"\n",
                BOM,
                b"\0" * 100,
                content + b"\0" * 50,
                b"<!DOCTYPE html><html><body>404</body></html>",
                b'{"error": "not found"}',
                b"PAR1" + content,
                content.replace(b",", b";"),
                content.replace(b",", b"\t"),
                content.splitlines(keepends=True)[0] if content else b"",
                BOM + content,
                content + content,
                content + BOM + content,
            ]
        )
    )


def swap_files(draw: Draw, files: Files, name: str) -> None:
    other = draw(st.sampled_from(sorted(files)))
    files[name], files[other] = files[other], files[name]


def pack_file(draw: Draw, files: Files, name: str) -> None:
    """Compress a file, whole or not, or name it otherwise."""
    content = files.pop(name)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr(draw(st.sampled_from([name, f"data/{name}", f"../{name}", "other.csv"])), content)
    new, packed = draw(
        st.sampled_from(
            [
                (f"{name}.gz", gzip.compress(content)),
                ("archive.zip", archive.getvalue()),
                (f"{name}.zip", archive.getvalue()),
                (f"{name[:-4]} (1).csv", content),
                (f"{name[:-4]}.CSV", content),
                (f"{name}.txt", content),
                (f"{name}.gz", content),
                ("archive.zip", content),
            ]
        )
    )
    cut = draw(st.sampled_from([None, None, None, len(packed) // 2, len(packed) - 3]))
    files[new] = packed[:cut]


EDITS = [
    *[change_cells] * 6,
    *[change_column] * 2,
    *[change_records] * 4,
    *[change_bytes] * 3,
    change_header,
    change_header,
    move_columns,
    end_early,
    change_ends,
    change_encoding,
    change_kind,
    swap_files,
    pack_file,
]
