#!/bin/sh
# Remove a virtual environment that make_venv.sh made for another folder, or did not finish. One that came with a folder
# which was moved or copied leads to where it was made, and the code there would run in place of this.
#
#   remove_moved_venv.sh FOLDER
set -eu
[ -e "$1/.made_in" ] || exit 0
[ "$(cat "$1/.made_in")" != "$(pwd -P)" ] || exit 0
echo "$1 was made for another folder, or only half made; it is made anew."
rm -rf "$1"
