#!/usr/bin/env bash
# A root shell on one serving machine, or one command there: deploy/shell.sh [--on i-…|ADDRESS] [COMMAND ARGUMENT …]
# It finds the machine itself and connects through Session Manager, without an open SSH port; the session is recorded in the log group
# tms-sessions. `psql`, `manage` and
# `supervisorctl` run there with the settings of TMS. Needs the AWS CLI with its Session Manager plugin; TMS_NAME is tms.
#
#   deploy/shell.sh psql -c 'SELECT now()'
#   deploy/shell.sh manage nodes
#   deploy/shell.sh supervisorctl restart tms:clock
set -euo pipefail

readonly NAME=${TMS_NAME:-tms}
export AWS_REGION=${AWS_REGION:-${AWS_DEFAULT_REGION:-ap-northeast-1}}

main() {
  local machine='' command
  if [[ ${1:-} == --on ]]; then
    machine=${2:?shell.sh --on i-…|ADDRESS}
    shift 2
    [[ ! $machine =~ ^[0-9.]+$ ]] || machine=$(at "$machine")
  fi
  [[ -n $machine ]] || machine=$(serving)
  [[ $machine == i-* ]] || fail "no machine of $NAME-autoscaling-group is in service; on ECS there are no machines"
  (($# > 0)) || exec aws ssm start-session --region "$AWS_REGION" --target "$machine" --document-name "$NAME-shell"
  command="sudo $(there "$@")"
  exec aws ssm start-session --region "$AWS_REGION" --target "$machine" --document-name "$NAME-command" \
    --parameters "{\"command\": [$(json "$command")]}"
}

serving() {
  aws autoscaling describe-auto-scaling-groups --region "$AWS_REGION" --auto-scaling-group-names "$NAME-autoscaling-group" \
    --query "AutoScalingGroups[0].Instances[?LifecycleState=='InService'].InstanceId | [0]" --output text
}

# The machine with a private address, such as PostgreSQL shows it.
at() {
  aws ec2 describe-instances --region "$AWS_REGION" --filters "Name=private-ip-address,Values=$1" \
    "Name=tag:Name,Values=$NAME-app-instance" --query 'Reservations[0].Instances[0].InstanceId' --output text
}

# The arguments, quoted for the remote shell.
there() {
  case $1 in
    psql | manage) printf '/opt/tms/current/deploy/machine/%s ' "$1" ;;
    supervisorctl) printf '/opt/tms/supervisor/bin/supervisorctl -c /etc/tms/supervisord.conf ' ;;
    *) printf '%q ' "$1" ;;
  esac
  shift
  (($# == 0)) || printf '%q ' "$@"
}

json() {
  local text=${1//\\/\\\\}
  text=${text//\"/\\\"}
  printf '"%s"' "${text//$'\n'/\\n}"
}

fail() {
  printf 'tms: %s\n' "$1" >&2
  exit 1
}

main "$@"
