#!/usr/bin/env bash
# The processes of this machine: their state, and how they are replaced. Sourced after paths.sh.

: "${TMS_HEALTHY_WITHIN_S:=60}" "${TMS_BACK_WITHIN_S:=180}"
# A node starts within seconds. Terminals that do not come back are offline after TMS_RECONNECT_GRACE_S (90 s) and
# are awaited no longer: the second figure only bounds the wait.

ctl() {
  "$SUPERVISOR/bin/supervisorctl" -c "$ETC/supervisord.conf" "$@"
}

is_supervised() {
  ctl pid >/dev/null 2>&1
}

# node-1, node-2 ...
nodes() {
  seq --format 'node-%.0f' 1 "$TMS_NODES"
}

port_of() {
  case $1 in
    clock) echo "$TMS_CLOCK_PORT" ;;
    *) echo $((TMS_FIRST_NODE_PORT + ${1#node-} - 1)) ;;
  esac
}

page_of() {
  curl --silent --fail --max-time 5 "http://127.0.0.1:$(port_of "$1")$2"
}

# PROGRAM RELEASE
runs() {
  local pid
  pid=$(ctl pid "tms:$1") && ((pid > 0)) && [[ $(readlink "/proc/$pid/cwd") == "$2" ]]
}

is_well() {
  runs "$1" "$2" && page_of "$1" "/health/?strict" >/dev/null
}

# Prints the health and the log of a process that does not start.
complain() {
  say "$1 is not healthy: $(curl --silent --max-time 5 "http://127.0.0.1:$(port_of "$1")/health/?strict" || echo 'no response')" >&2
  ctl status "tms:$1" >&2 || true
  tail -n 20 "$LOGS/$1.log" >&2 || true
}

# PROGRAM RELEASE. Fails as soon as supervisor gives up.
comes_up() {
  local deadline=$((SECONDS + TMS_HEALTHY_WITHIN_S))
  until is_well "$1" "$2"; do
    if ((SECONDS >= deadline)) || [[ $(ctl status "tms:$1") == *FATAL* ]]; then
      complain "$1"
      return 1
    fi
    sleep 0.5
  done
}

# PROGRAM RELEASE. SIGTERM drains it: supervisor waits, and then starts the current release.
restart() {
  ctl restart "tms:$1" >/dev/null || true # its health is checked below
  comes_up "$1" "$2"
}

# RELEASE PROGRAM ...: restarts all of them at once, but for those that run that release already.
restart_together() {
  local release=$1 program pids=() failed=0
  shift
  for program in "$@"; do
    ! is_well "$program" "$release" || continue
    restart "$program" "$release" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
  return $failed
}

terminals_awaited() {
  local number
  number=$(page_of "$1" /metrics | sed -n 's/^tms_dropped_terminals{[a-z]*="awaited"} //p')
  [[ -n $number ]] && printf '%.0f' "$number"
}

# Waits until the terminals that the node NODE dropped are back, here or on another machine.
wait_for_terminals() {
  local deadline=$((SECONDS + TMS_BACK_WITHIN_S)) number
  until number=$(terminals_awaited "$1") && ((number == 0)); do
    if ((SECONDS >= deadline)); then
      say "${number:-an unknown number of} terminals are still awaited after $TMS_BACK_WITHIN_S s; continuing without them"
      return
    fi
    sleep 1
  done
}

# Half of the nodes at a time, so that the other half can serve.
waves() {
  nodes | awk 'NR % 2 { odd = odd " " $0; next } { even = even " " $0 } END { print odd; if (even) print even }'
}

# nginx reloads its configuration without losing a link, but ends its old workers' links a minute later: only when needed.
configure_nginx() {
  local release=$1 changed
  changed=$("$release/deploy/machine/configure" nginx) || return 1 # `set -e` does not hold inside a condition
  [[ -n $changed ]] || return 0
  say 'nginx reloads its configuration'
  ! is_supervised || ctl signal HUP nginx >/dev/null
}
