#!/usr/bin/env bash
# Installs TMS on a plain Amazon Linux 2023. Cloud-init runs it as root when the machine starts for the first time; it is
# safe to run again, and then installs the release that the SSM parameter names.
#
# Terraform puts `export NAME='value'` lines before it, one for each name in EXPORTS. User
# data may have 16 KB, so only the steps before the release are in here; the rest is in deploy/machine of the release.
#
# Steps: the agent of CloudWatch, so that the following steps are logged there; packages, the user tms and its
# directories; downloads the release from S3 and verifies it; installs it without a network; writes the settings, with the secrets
# from Secrets Manager; creates the tables of an empty database; starts nginx, nodes and clock under supervisor; waits until all
# are healthy; reports to the group that it is ready; installs the previous release for a rollback.
# Log: /var/log/tms/userdata.log, and in CloudWatch tms-machine. If a step fails it stops, sends its last lines to the stream
# INSTANCE/failed there, and reports to the group at once, which replaces the machine.
set -euo pipefail

# Required variables, and after the | optional ones.
readonly EXPORTS='AWS_REGION TMS_NAME TMS_RELEASES_BUCKET TMS_RELEASE_PARAMETER TMS_APPLICATION_SECRET TMS_DATABASE_SECRET
TMS_DATABASE_HOST TMS_DATABASE_NAME TMS_REDIS_SECRET TMS_REDIS_HOST TMS_ALLOWED_HOSTS TMS_TRUSTED_PROXIES TMS_NODES
| TMS_STATIC_BUCKET TMS_STATIC_URL TMS_BACKUPS_BUCKET TMS_LIFECYCLE_HOOK TMS_LAUNCH_HOOK TMS_ASG TMS_DRAIN_SPREAD_S
TMS_SETTINGS_PARAMETER TMS_GOOD_PARAMETER TMS_DUMPS TMS_MAIL_SECRET TMS_MASTER_PARAMETER TMS_USER TMS_PYTHON'
readonly PACKAGES='awscli-2 logrotate nginx postgresql17 python3.13 tar util-linux'
readonly ROOT=${TMS_ROOT:-}
readonly METADATA=${TMS_METADATA:-http://169.254.169.254}
readonly OPT=$ROOT/opt/tms ETC=$ROOT/etc/tms LOGS=$ROOT/var/log/tms
readonly AGENT=$ROOT/opt/aws/amazon-cloudwatch-agent
user=${TMS_USER:-tms}

main() {
  local version release
  install -d -m 0755 "$LOGS" "$OPT" "$OPT/releases" "$OPT/artefacts" "$ETC"
  exec > >(tee -a "$LOGS/userdata.log") 2>&1
  trap 'ended $?' EXIT
  step 'logs'
  watch_this_log
  step 'packages'
  install_packages
  step 'places'
  make_places
  remember_machine
  version=$(aws ssm get-parameter --region "$AWS_REGION" --name "$TMS_RELEASE_PARAMETER" --query Parameter.Value --output text)
  release=$OPT/releases/$version
  step "release $version"
  fetch "tms-$version.tar.gz"
  install_release "$version"
  step 'settings'
  "$release/deploy/machine/write-environment"
  if ! is_running; then
    start "$release"
  elif [[ $(readlink -f "$OPT/current") == "$(readlink -f "$release")" ]]; then
    "$release/deploy/machine/wait-until-healthy" "$release"
  else
    "$release/deploy/machine/switch-release" "$version"
  fi
  step 'logs and metrics'
  start_agent tms.json
  tell_ready
  step "ready with $version"
  keep_previous "$release"
}

step() {
  TZ=UTC printf '%(%FT%TZ)T userdata: %s, %s s\n' -1 "$1" "$SECONDS"
}

# First, so that the agent sends this log to CloudWatch from the start. The configuration of the release, which has
# more, follows later.
watch_this_log() {
  dnf --assumeyes --quiet install amazon-cloudwatch-agent
  mkdir -p "$AGENT/etc"
  printf '{"logs":{"logs_collected":{"files":{"collect_list":[{"file_path":"%s","log_group_name":"%s","log_stream_name":"%s"}]}}}}\n' \
    "$LOGS/userdata.log" "${TMS_NAME:?}-machine" '{instance_id}/userdata' >"$AGENT/etc/start.json"
  start_agent start.json
}

# STATUS. Runs at each exit: a machine that is not ready is abandoned at once, not when its hook times out.
ended() {
  (($1 != 0)) || return 0
  trap - EXIT
  set +e
  step "FAILED with $1"
  sleep "${TMS_LAST_LINES_S:-1}" # time for tee to write
  send_last_lines
  complete_launch ABANDON
  exit "$1"
}

# Not through the agent, which may have failed.
send_last_lines() {
  local group=$TMS_NAME-machine stream
  stream=$(metadata instance-id)/failed
  aws logs create-log-stream --region "$AWS_REGION" --log-group-name "$group" --log-stream-name "$stream"
  aws logs put-log-events --region "$AWS_REGION" --log-group-name "$group" --log-stream-name "$stream" \
    --log-events "$(tail -n 40 "$LOGS/userdata.log" | python3 -c 'import json, sys, time
print(json.dumps([{"timestamp": int(time.time() * 1000), "message": sys.stdin.read()[-20000:] or "nothing was logged"}]))')"
}

install_packages() {
  dnf --assumeyes --quiet upgrade
  # shellcheck disable=SC2086 # words
  dnf --assumeyes --quiet install $PACKAGES
  # We configure nginx completely, and supervisor runs it.
  systemctl disable --now nginx.service >/dev/null 2>&1 || true
}

make_places() {
  id "$user" >/dev/null 2>&1 || useradd --system --home-dir /var/lib/tms --shell /sbin/nologin "$user"
  install -d -m 0750 -o "$user" -g "$(id -gn "$user")" "$LOGS" "$ROOT/var/lib/tms"
  install -d -m 0755 "$ROOT/var/lib/tms-nginx"
}

# Configuration for later scripts, without secrets.
remember_machine() {
  local name need=required instance
  instance=$(metadata instance-id)
  {
    echo '# Values from Terraform, written by userdata.sh.'
    for name in $EXPORTS; do
      if [[ $name == '|' ]]; then
        need=optional
      elif [[ -n ${!name:-} ]]; then
        printf '%s=%q\n' "$name" "${!name}"
      elif [[ $need == required ]]; then
        echo "tms: $name is not exported" >&2
        exit 1
      fi
    done
    printf 'TMS_INSTANCE=%q\n' "$instance"
  } >"$ETC/machine.env.new"
  mv "$ETC/machine.env.new" "$ETC/machine.env"
  chmod 0644 "$ETC/machine.env"
}

metadata() {
  local token
  token=$(curl --silent --fail --max-time 5 --retry 5 --request PUT \
    --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$METADATA/latest/api/token")
  curl --silent --fail --max-time 5 --header "X-aws-ec2-metadata-token: $token" "$METADATA/latest/meta-data/$1"
}

fetch() {
  local file
  cd "$OPT/artefacts"
  for file in "$1" "$1.sha256"; do
    [[ -e $file ]] || aws s3 cp --region "$AWS_REGION" --only-show-errors "s3://$TMS_RELEASES_BUCKET/$file" "$file"
  done
  sha256sum --check --quiet "$1.sha256" || {
    rm -f "$1" "$1.sha256"
    exit 1
  }
}

# The release contains its own scripts: those that install it are extracted first.
install_release() {
  local scripts
  scripts=$(mktemp -d)
  tar -xzf "$OPT/artefacts/tms-$1.tar.gz" -C "$scripts" --strip-components 1 --wildcards '*/deploy/machine'
  "$scripts/deploy/machine/install-release" "$1"
  rm -rf "$scripts"
}

is_running() {
  systemctl is-active --quiet tms.service
}

start() {
  local scripts=$1/deploy/machine
  ln -sfn "$1" "$OPT/current"
  step 'tables'
  "$scripts/manage" migrate_once --first-time
  "$scripts/configure" machine
  "$scripts/configure" nginx
  step 'start'
  systemctl daemon-reload
  systemctl enable --now tms.service
  "$scripts/wait-until-healthy" "$1"
}

# CONFIGURATION
start_agent() {
  "$AGENT/bin/amazon-cloudwatch-agent-ctl" -a fetch-config -m ec2 -s -c "file:$AGENT/etc/$1" >/dev/null
}

# With a hook at launch the group waits for this before it uses the machine; the load balancer also checks /health/.
tell_ready() {
  complete_launch CONTINUE || echo 'the group does not wait for this machine' # a repeated run
}

# For a rollback without a download. The machine serves already, so a failure only costs the rollback some seconds.
keep_previous() {
  "$1/deploy/machine/install-previous" || step 'no previous release is installed'
}

# RESULT
complete_launch() {
  [[ -n ${TMS_LAUNCH_HOOK:-} ]] || return 0
  aws autoscaling complete-lifecycle-action --region "$AWS_REGION" --lifecycle-action-result "$1" \
    --instance-id "$(metadata instance-id)" --auto-scaling-group-name "$TMS_ASG" --lifecycle-hook-name "$TMS_LAUNCH_HOOK"
}

main
