#!/bin/sh
# Remove a virtual environment that make_venv.sh made for another folder, or did not finish, or of which a part was
# removed. One that came with a folder which was moved or copied leads to where it was made, and the code there would
# run in place of this. Without pyvenv.cfg its Python is the one that it was made with: packages would go there.
#
#   remove_moved_venv.sh FOLDER
set -eu
# Who needs one that is being made now waits for it (see alone.sh).
if kill -0 "$(readlink "$1.lock")" 2>/dev/null; then exit 0; fi
if [ -e "$1/.made_in" ]; then
    if [ "$(cat "$1/.made_in")" = "$(pwd -P)" ] && [ -e "$1/pyvenv.cfg" ]; then exit 0; fi
elif [ "$1" != .venv ] || [ ! -e "$1/bin" ] || [ -e "$1/pyvenv.cfg" ]; then
    # Without the mark it is somebody's own, unless it is what was left when ours was removed.
    exit 0
fi
echo "$1 was made for another folder, or is only half there; it is made anew."
# At once: whoever kills this must not leave a part that looks whole.
mv "$1" "$1.removed.$$"
rm -rf "$1.removed.$$"
