#!/usr/bin/env bash
# Restores a backup into a new database, verifies it, and swaps the two by their names: deploy/restore.sh [--help]
# `deploy/restore.sh point-in-time --at TIME` and `deploy/restore.sh snapshot SNAPSHOT` make a new instance of RDS instead, like
# the one that serves, and put it in its place.
set -euo pipefail
# shellcheck disable=SC1091 # it is checked by itself
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

umask 077
load_environment
case ${1:-} in
  point-in-time | snapshot) run_module deploy.backup "$@" ;;
  *) run_module deploy.backup restore "$@" ;;
esac
