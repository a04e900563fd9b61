#!/usr/bin/env bash
# Paths of TMS on a machine. Sourced by the scripts beside it; of these, only the following are run by hand:
# install-release, install-previous, switch-release, rollback, drain and manage.
#
#   /opt/tms/artefacts/            downloads: tms-VERSION.tar.gz, and its checksum
#   /opt/tms/releases/VERSION/     unpacked releases; `.installed` is written last
#   /opt/tms/environments/HASH/    Python packages; releases with the same locks share one
#   /opt/tms/static/               files for browsers of every installed release, so that pages of the previous one still work
#   /opt/tms/current, previous     links to releases
#   /opt/tms/supervisor/           supervisor, independent of releases
#   /etc/tms/machine.env           configuration of this machine: the values from Terraform, and the ports
#   /etc/tms/tms.env               settings of TMS with its secrets (root:tms 0640)
#
# TMS_ROOT sets another root directory, for tests.
# shellcheck disable=SC2034 # most of these are for the scripts that source it
set -euo pipefail

readonly ROOT=${TMS_ROOT:-}
readonly OPT=$ROOT/opt/tms ETC=$ROOT/etc/tms LOGS=$ROOT/var/log/tms STATE=$ROOT/var/lib/tms RUN=$ROOT/run/tms
readonly ARTEFACTS=$OPT/artefacts RELEASES=$OPT/releases ENVIRONMENTS=$OPT/environments STATIC=$OPT/static
readonly CURRENT=$OPT/current PREVIOUS=$OPT/previous SUPERVISOR=$OPT/supervisor
HERE=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
RELEASE=$(cd -P "$HERE/../.." && pwd)
# The release that the running script belongs to.
readonly HERE RELEASE

if [[ -r $ETC/machine.env ]]; then
  set -a
  # shellcheck source=/dev/null
  source "$ETC/machine.env"
  set +a
fi
: "${TMS_USER:=tms}" "${TMS_PYTHON:=python3.13}" "${TMS_NODES:=2}" "${TMS_KEEP_RELEASES:=3}"
: "${TMS_LISTEN:=0.0.0.0:8000}" "${TMS_FIRST_NODE_PORT:=8001}" "${TMS_CLOCK_PORT:=8091}" "${TMS_INSTANCE:=$HOSTNAME}"

say() {
  TZ=UTC printf '%(%FT%TZ)T %s\n' -1 "$*"
}

fail() {
  say "tms: $*" >&2
  exit 1
}

# Two deployments at the same time would interfere. The first may be a machine's own: after its start it installs the previous release.
only_one() {
  mkdir -p "$RUN"
  exec 9>"$RUN/deploying"
  flock --nonblock 9 && return
  say 'another deployment is running on this machine: waiting'
  flock --wait "${TMS_LOCKED_WITHIN_S:-300}" 9 || fail 'another deployment is still running on this machine'
}

# The release a link points at; nothing when there is none.
release_at() {
  [[ ! -e $1 ]] || readlink -f "$1"
}

# LINK RELEASE. An atomic rename, so that the link always exists.
point() {
  ln -sfn "$2" "$1.new"
  mv -T "$1.new" "$1"
}

require_version() {
  [[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || fail "$1 is not a version: expected is the output of build-release, such as v1.2.0"
}

# Runs a command as the user of TMS.
as_tms() {
  if ((EUID == 0)); then runuser -u "$TMS_USER" -- "$@"; else "$@"; fi
}

# The settings of a process of the release that contains this script, with the static files of this release.
load_settings() {
  set -a
  # shellcheck source=/dev/null
  source "$ETC/tms.env"
  TMS_STATIC_ROOT=$RELEASE/collected
  set +a
}
