#!/usr/bin/env bash
# Where everything of TMS lies on a machine. Sourced by the scripts beside it; none of them is run by hand but
# install-release, switch-release, rollback, drain and manage.
#
#   /opt/tms/artefacts/            what was fetched: tms-VERSION.tar.gz, and its checksum
#   /opt/tms/releases/VERSION/     what was unpacked; `.installed` in it is written last
#   /opt/tms/environments/HASH/    Python packages; releases with the same locks share one
#   /opt/tms/static/               files for browsers of every installed release: a page of the one before still finds its own
#   /opt/tms/current, previous     links to releases
#   /opt/tms/supervisor/           supervisor, which outlives releases
#   /etc/tms/machine.env           what this machine is: what Terraform told userdata.sh, and the ports
#   /etc/tms/tms.env               settings of TMS with its secrets (root:tms 0640)
#
# TMS_ROOT puts all of it below another directory; the tests use that.
# shellcheck disable=SC2034 # most of these are for those who source it
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

# Two deployments at the same time would undo each other.
only_one() {
  mkdir -p "$RUN"
  exec 9>"$RUN/deploying"
  flock --nonblock 9 || fail 'another deployment is running on this machine'
}

# The release a link points at; nothing when there is none.
release_at() {
  [[ ! -e $1 ]] || readlink -f "$1"
}

# LINK RELEASE. A rename, so that nobody ever finds no link.
point() {
  ln -sfn "$2" "$1.new"
  mv -T "$1.new" "$1"
}

require_version() {
  [[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || fail "$1 is no version: right is what build-release printed, such as v1.2.0"
}

# As the user that TMS runs as.
as_tms() {
  if ((EUID == 0)); then runuser -u "$TMS_USER" -- "$@"; else "$@"; fi
}

# Those of a process of the release that this script lies in; its files for browsers are its own.
load_settings() {
  set -a
  # shellcheck source=/dev/null
  source "$ETC/tms.env"
  TMS_STATIC_ROOT=$RELEASE/collected
  set +a
}
