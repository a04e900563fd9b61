#!/usr/bin/env bash
# Restores a backup into a new database, verifies it, and swaps the two by their names: deploy/restore.sh [--help]
set -euo pipefail
# shellcheck disable=SC1091 # it is checked by itself
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

umask 077
load_environment
run_module deploy.backup restore "$@"
