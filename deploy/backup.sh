#!/usr/bin/env bash
# Backs up the database to S3, and verifies the copy there: deploy/backup.sh [--help]
# `deploy/backup.sh age` only publishes the age of the newest backup to CloudWatch.
set -euo pipefail
# shellcheck disable=SC1091 # checked separately
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

umask 077
load_environment
case ${1:-} in
  age) run_module deploy.backup "$@" ;;
  *) run_module deploy.backup take "$@" ;;
esac
