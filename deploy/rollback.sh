#!/usr/bin/env bash
# Returns all machines or tasks to the previous release: deploy/rollback.sh ec2|ecs [--to RELEASE|DIGEST] [--template N] [--help]
# On one machine, within seconds: deploy/machine/rollback.
set -euo pipefail
# shellcheck disable=SC1091 # checked separately
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

run_module deploy.pipeline roll-back "$@"
