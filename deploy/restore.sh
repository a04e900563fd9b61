#!/usr/bin/env bash
# Restores a backup into a new database, verifies it, and swaps the two by their names: deploy/restore.sh [--help]
# `deploy/restore.sh point-in-time --at TIME` and `deploy/restore.sh snapshot SNAPSHOT` create a new RDS instance instead, configured
# like the current one, and replace the current one with it.
set -euo pipefail
# shellcheck disable=SC1091 # checked separately
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

umask 077
load_environment
case ${1:-} in
  point-in-time | snapshot) run_module deploy.backup "$@" ;;
  *) run_module deploy.backup restore "$@" ;;
esac
