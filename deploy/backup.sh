#!/usr/bin/env bash
# Copies the database to S3, and calls it a success when it has looked: deploy/backup.sh [--help]
# `deploy/backup.sh age` only tells CloudWatch how old the newest backup is.
set -euo pipefail
# shellcheck disable=SC1091 # it is checked by itself
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

umask 077
load_environment
case ${1:-} in
  age) run_module deploy.backup "$@" ;;
  *) run_module deploy.backup take "$@" ;;
esac
