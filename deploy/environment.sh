#!/usr/bin/env bash
# Sourced by the scripts of deploy/: their folder, the Python to use, the environment.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root

# On a machine of TMS the environment is in two files, one of which only root and tms may read; elsewhere it is that of the shell.
load_environment() {
  local file folder=${ENVIRONMENT_FOLDER:-/etc/tms}
  [[ -z ${TMS_DATABASE_URL:-}${TMS_DATABASE_URL_FILE:-} ]] || return 0
  set -a
  for file in "$folder/machine.env" "$folder/tms.env"; do
    # shellcheck disable=SC1090 # created when the machine starts
    [[ ! -r $file ]] || . "$file"
  done
  set +a
  export BACKUP_BUCKET=${BACKUP_BUCKET:-${TMS_BACKUPS_BUCKET:-}}
}

our_python() {
  local python has_boto3='import importlib.util, sys; sys.exit(importlib.util.find_spec("boto3") is None)'
  for python in "${PYTHON:-}" "$root/.venv/bin/python" python3; do
    if [[ -n $python ]] && "$python" -c "$has_boto3" >/dev/null 2>&1; then
      printf '%s' "$python"
      return
    fi
  done
  printf 'tms: no Python with boto3 beside %s; name one: PYTHON=/opt/tms/current/.venv/bin/python\n' "$root" >&2
  return 1
}

run_module() {
  local python
  python=$(our_python)
  cd "$root"
  exec "$python" -m "$@"
}
