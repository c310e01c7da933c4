"""What a process gives up for ever before it reads what strangers wrote.

What belongs here: limits of the process, and on Linux the kernel's own means: no network (a namespace without one), no
file beside those that are named (Landlock), no process, no socket, no change of a file name (seccomp). What does not:
what templates are given (`sandbox`), which is the first wall; this is the second.

Each means is taken where the kernel has it and allows it; `confine` says which hold. Nothing here can be undone.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

MEMORY_BYTES = 3_000_000_000
OPEN_FILES = 64

LIMITS, NETWORK, FILES, CALLS = "limits", "network", "files", "calls"

NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
SET_NO_NEW_PRIVILEGES, SET_SECCOMP, SECCOMP_FILTER = 38, 22, 2

LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
READ_FILE, READ_FOLDER = 1 << 2, 1 << 3
RIGHTS_OF_VERSION = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many rights on files each version of Landlock knows; all that are known are taken."""

LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo")

WRITING = 0o3 | 0o100 | 0o1000
"""O_WRONLY and O_RDWR, O_CREAT, O_TRUNC."""

_EVERYWHERE = (424, 425, 426, 427, 434, 435, 437, 438)
"""pidfd_send_signal, io_uring (3), pidfd_open, clone3, openat2, pidfd_getfd."""
_X86_64 = (
    *(41, 42, 49, 53, 56, 57, 58, 59, 62, 76, 82, 83, 84, 85, 86, 87, 88, 90, 91, 92, 93, 94),
    *(101, 133, 155, 161, 165, 166, 200, 246, 248, 249, 250, 258, 259, 260, 263, 264, 265, 266, 268, 272, 298, 304),
    *(308, 310, 311, 316, 319, 321, 322, 323),
)
_AARCH64 = (
    *(33, 34, 35, 36, 37, 38, 39, 40, 41, 45, 51, 52, 53, 54, 55, 97, 104, 117, 129, 130, 198, 199, 200, 203, 217),
    *(218, 219, 220, 221, 241, 265, 268, 270, 271, 276, 279, 280, 281, 282),
)
"""socket, connect, fork, execve, kill, ptrace, mount, names of files, keys and the like, by the kernel's lists."""

ARCHITECTURES = {
    "x86_64": (0xC000003E, _X86_64, {2: 1, 257: 2}),
    "aarch64": (0xC00000B7, _AARCH64, {56: 2}),
}
"""The kernel's mark of an architecture, the calls that are refused, and which argument of each open has its flags."""


def confine(readable: Iterable[Path]) -> tuple[str, ...]:
    """Give up all but reading of `readable` and of Python's own files; return which means hold."""
    held = [LIMITS] if _limit() else []
    if sys.platform == "linux":
        library = ctypes.CDLL(None, use_errno=True)
        if library.unshare(NEW_NETWORK) == 0 or library.unshare(NEW_USER | NEW_NETWORK) == 0:
            held.append(NETWORK)
        if library.prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0:
            held += [FILES] if _restrict_files(library, [*readable, *_own_files()]) else []
            held += [CALLS] if _restrict_calls(library) else []
    return tuple(held)


def allow_seconds(seconds: float) -> None:
    """Let this process compute for so many seconds more; the kernel ends it after that."""
    try:
        import resource
    except ImportError:  # no such limit on this system: `pool` ends the process
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _limit() -> bool:
    """Bound memory, open files, processes and what is written."""
    try:
        import resource
    except ImportError:
        return False
    limits = {"AS": MEMORY_BYTES, "NOFILE": OPEN_FILES, "NPROC": 0, "FSIZE": 0, "CORE": 0}
    for name, most in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is None:
            continue
        hard = resource.getrlimit(kind)[1]
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(kind, (allowed, allowed))
        except (ValueError, OSError):  # macOS refuses some of them
            return False
    return True


def _own_files() -> list[Path]:
    """Return the folders that Python loads modules and libraries from."""
    named = [*sys.path, sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *LIBRARIES]
    return [Path(name) for name in dict.fromkeys(named) if name]


def _restrict_files(library: ctypes.CDLL, readable: Iterable[Path]) -> bool:
    """Allow reading below `readable`, and no other use of any file."""
    version = library.syscall(LANDLOCK_CREATE, None, 0, 1)
    if version < 1:
        return False
    rights = (1 << RIGHTS_OF_VERSION.get(version, max(RIGHTS_OF_VERSION.values()))) - 1
    # From version 4 on: binding and connecting; from 6 on: abstract sockets and signals to others.
    ruleset = struct.pack("QQQ", rights, 3, 3)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    rules = library.syscall(LANDLOCK_CREATE, ruleset, len(ruleset), 0)
    if rules < 0:
        return False
    try:
        for path in readable:
            _allow_reading(library, rules, path)
        return bool(library.syscall(LANDLOCK_RESTRICT, rules, 0) == 0)
    finally:
        os.close(rules)


def _allow_reading(library: ctypes.CDLL, rules: int, path: Path) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # an entry of sys.path that is not there
        return
    try:
        rights = READ_FILE | READ_FOLDER if path.is_dir() else READ_FILE
        library.syscall(LANDLOCK_ADD, rules, 1, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)


def _restrict_calls(library: ctypes.CDLL) -> bool:
    """Refuse the calls that begin processes, open sockets, reach other processes, or write."""
    known = ARCHITECTURES.get(platform.machine())
    if known is None or sys.maxsize < 2**32:
        return False
    instructions = _filter(*known)
    code = ctypes.create_string_buffer(b"".join(instructions))
    program = struct.pack("HxxxxxxQ", len(instructions), ctypes.addressof(code))
    return bool(library.prctl(SET_SECCOMP, SECCOMP_FILTER, program, 0, 0) == 0)


def _filter(architecture: int, refused: tuple[int, ...], opens: dict[int, int]) -> list[bytes]:
    """Return the program that the kernel runs before each call: it ends in "allowed" or "not permitted"."""
    load, equal, at_least, any_bit, end = 0x20, 0x15, 0x35, 0x45, 0x06
    calls = [*_EVERYWHERE, *refused]
    refusal = 3 + len(calls) + 4 * len(opens) + 1
    program: list[tuple[int, int, int, int]] = [(load, 0, 0, 4)]

    def to_refusal() -> int:
        return refusal - len(program) - 1

    program.append((equal, 0, to_refusal(), architecture))
    program.append((load, 0, 0, 0))
    program += [(equal, refusal - place - 1, 0, call) for place, call in enumerate(calls, len(program))]
    for call, argument in opens.items():
        program.append((equal, 0, 3, call))
        program.append((load, 0, 0, 16 + 8 * argument))
        program.append((any_bit, to_refusal(), 0, WRITING))
        program.append((load, 0, 0, 0))
    # x86_64 has a second table of calls from here on.
    program.append((at_least, 0, 1, 0x40000000))
    program += [(end, 0, 0, 0x00050001), (end, 0, 0, 0x7FFF0000)]
    return [struct.pack("HBBI", *instruction) for instruction in program]
