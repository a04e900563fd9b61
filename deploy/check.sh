#!/usr/bin/env bash
# Runs the checklist of a deployment: deploy/check.sh before | deploy/check.sh after URL [--help]
set -euo pipefail
# shellcheck disable=SC1091 # checked separately
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

load_environment
run_module deploy.check "$@"
