#!/bin/sh
# Run the arguments with the first usable Python: $PYTHON if set, else one from the list. Usable: 3.11 or newer, and able
# to make virtual environments (some distributions ship that apart). Otherwise one sentence, and nothing was changed.
usable='import sys
if sys.version_info < (3, 11): sys.exit("old")
import ensurepip, venv'

incapable=
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
    path=$(command -v "$candidate" 2>/dev/null) || continue
    if reason=$("$path" -c "$usable" 2>&1); then
        exec "$path" "$@"
    fi
    case $reason in
        *ensurepip* | *venv*) incapable=$path ;;
    esac
done
if [ -n "$incapable" ]; then
    echo "Counterpart needs Python's venv module, which $incapable lacks: install it (Debian and Ubuntu: the package python3-venv)." >&2
elif [ -n "${PYTHON:-}" ]; then
    echo "Counterpart needs Python 3.11 or newer, which PYTHON=$PYTHON is not." >&2
else
    echo "Counterpart needs Python 3.11 or newer, and none was found: install one, or name it as in: make PYTHON=/path/to/python3.11 demo" >&2
fi
exit 1
