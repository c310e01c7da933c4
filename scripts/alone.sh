#!/bin/sh
# Run COMMAND while no other make sets FOLDER up: two at once, in two terminals, would break it for both.
#
#   alone.sh FOLDER COMMAND...
#
# The lock is a link to the number of the process that has it, so that one which was killed leaves none that counts.
set -eu
lock=$1.lock
shift
is_said=
until ln -s "$$" "$lock" 2>/dev/null; do
    if ! holder=$(readlink "$lock"); then
        if [ -w . ]; then continue; fi
        echo "$PWD cannot be written to by $(id -un), and the environment goes there: clone it into a folder of yours." >&2
        exit 1
    elif kill -0 "$holder" 2>/dev/null; then
        [ -n "$is_said" ] || echo "Waiting for process $holder, which sets up the same folder ..." >&2
        is_said=yes
        sleep 0.1 2>/dev/null || sleep 1
    else
        rm -f "$lock"
    fi
done
trap 'rm -f "$lock"' EXIT
for signal in HUP INT TERM; do trap 'exit 1' "$signal"; done
"$@"
