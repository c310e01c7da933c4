#!/bin/sh
# Make a virtual environment with the first Python that fits.
#
#   make_venv.sh FOLDER NAMED VERSION...
#
# VERSIONs, the newest first, are tried as pythonVERSION on the PATH, then python3 and python. NAMED, where it is not
# empty, is the only one tried. Where none fits, one sentence says what was found and what to do.
set -eu
folder=$1
named=$2
shift 2
versions=$*
newest=$1
for version in "$@"; do oldest=$version; done
found=

# Another make may have made it while this one waited.
if [ -x "$folder/bin/python" ] && [ "$(cat "$folder/.made_in" 2>/dev/null)" = "$(pwd -P)" ]; then exit 0; fi

# setuptools takes them for the name of a variable of its own, and ends in a traceback.
case $PWD in
*[{}]* | *'$'[A-Za-z_]*)
    echo "$PWD has a brace or a dollar in its path, below which Python packages cannot be installed; move it." >&2
    exit 1
    ;;
esac

# What speaks against a Python; nothing where it fits.
check='
import sys
own = "%d.%d" % sys.version_info[:2]
if own not in sys.argv[1:]:
    print("is Python " + own)
else:
    try:
        import ensurepip, venv
    except ImportError:
        print("lacks the module venv (on Debian and Ubuntu: apt install python" + own + "-venv)")
'

make_with() {
    # A name may be on the PATH and yet start nothing, as the shims of pyenv do.
    objection=$("$1" -c "$check" $versions 2>/dev/null) || return 0
    if [ -n "$objection" ]; then
        found="$found $1 $objection."
        return 0
    fi
    echo "Setting up $folder with $("$1" --version 2>&1) ..."
    # Half an environment has a Python already: it says that it is one until it is whole (see remove_moved_venv.sh).
    mkdir -p "$folder" && echo "not made yet" >"$folder/.made_in"
    "$1" -m venv "$folder" && pwd -P >"$folder/.made_in" && exit 0
    rm -rf "$folder"
    exit 1
}

if [ -n "$named" ]; then
    make_with "$named"
    : "${found:= $named does not start.}"
else
    for version in $versions; do make_with "python$version"; done
    make_with python3
    make_with python
    : "${found:= There is none on the PATH.}"
fi
echo "Python $oldest to $newest is needed.$found Install python$newest, or name one: make PYTHON=/path/to/python$newest" >&2
exit 1
