#!/bin/sh
# Write the three lock files: exact versions with hashes, and neither host nor address in them. Pins that still fit stay;
# `make lock UPGRADE=1` takes the newest of everything.
#   requirements-dev.lock    everything, for `make test`
#   requirements.lock        what `make demo` installs: the application, the embedded PostgreSQL, the build backend
#   requirements-image.lock  what the container image installs: the application alone
set -eu
cd "$(dirname "$0")/.."

compile() {
    lock=$1
    shift
    .venv/bin/uv pip compile --quiet --generate-hashes --no-header --universal \
        --python-version 3.11 --output-file "$lock" pyproject.toml "$@"
}

compile requirements-dev.lock --extra dev ${UPGRADE:+--upgrade}
compile requirements.lock --extra embedded --extra build --constraint requirements-dev.lock
compile requirements-image.lock --constraint requirements-dev.lock
