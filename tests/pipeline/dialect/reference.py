"""A second opinion on the dialect: the bytes of a small file, read one by one."""

from dataclasses import dataclass, field

from olist_pipeline.dialect.faults import Fault


@dataclass
class Reading:
    """The records of a file, as lists of texts and without empty lines; or the first fault, with its place."""

    records: list[list[str]] = field(default_factory=list)
    fault: tuple[int, Fault] | None = None


def read(data: bytes) -> Reading:
    """Return the records of a file whose header has more than one column, or its first fault."""
    try:
        data.decode("utf-8")
        limit = len(data)
    except UnicodeDecodeError as error:
        limit = error.start
    reading = _read(data, 3 if data.startswith(b"\xef\xbb\xbf") else 0)
    is_first = reading.fault is None or reading.fault[1] is Fault.OPEN_QUOTE or reading.fault[0] > limit
    if limit < len(data) and is_first:
        reading.fault = (limit, Fault.NOT_UTF8)
    return reading


def _read(data: bytes, at: int) -> Reading:
    reading = Reading()
    record: list[bytes] = []
    cell, state, first_end, opened, is_empty_line = b"", "start", None, at, True
    while at < len(data):
        byte = data[at : at + 1]
        if state == "closed" and byte not in b",\r\n":
            return Reading(fault=(at - 1, Fault.TEXT_AFTER_QUOTE))
        if byte == b"\0":
            return Reading(fault=(at, Fault.NUL))
        if state == "quoted":
            if byte != b'"':
                cell += byte
            elif data[at + 1 : at + 2] == b'"':
                cell += b'"'
                at += 1
            else:
                state = "closed"
        elif byte == b",":
            record.append(cell)
            cell, state, is_empty_line = b"", "start", False
        elif byte in b"\r\n":
            end = b"\r\n" if byte == b"\r" else b"\n"
            if not data.startswith(end, at):
                is_double = data.startswith(b"\r\r\n", at)
                return Reading(fault=(at, Fault.DOUBLE_CR if is_double else Fault.LONE_CR))
            at += len(end) - 1
            if first_end not in (None, end):
                return Reading(fault=(at, Fault.MIXED_ENDS))
            first_end = end
            if not is_empty_line:
                reading.records.append([text.decode("utf-8", "replace") for text in (*record, cell)])
            record, cell, state, is_empty_line = [], b"", "start", True
        elif byte == b'"':
            if state == "bare":
                return Reading(fault=(at, Fault.QUOTE_IN_CELL))
            state, opened, is_empty_line = "quoted", at, False
        else:
            cell += byte
            state, is_empty_line = "bare", False
        at += 1
    if state == "quoted":
        return Reading(fault=(opened, Fault.OPEN_QUOTE))
    if not is_empty_line:
        reading.records.append([text.decode("utf-8", "replace") for text in (*record, cell)])
    return reading
