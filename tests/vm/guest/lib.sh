# Sourced by the tests in the guest. Every test prints one line: `ok`, `not ok` or `skipped`, its
# name, and why.
top=/sys/fs/cgroup
component=/bin/hearth_test_component
user=tester

fail() {
  echo "$*"
  exit 1
}

# test_of NAME FUNCTION [ARGUMENT...]: the last line that it prints is the reason when it fails.
# Not by $(...), which would wait for whatever it leaves in the background.
test_of() {
  local name=$1
  shift
  if ("$@") >/tmp/why 2>&1; then
    echo "ok $name"
  else
    echo "not ok $name: $(tail -n 1 /tmp/why)"
  fi
}

# uptime_into NAME: whole seconds, without another process.
uptime_into() {
  local up rest
  read -r up rest </proc/uptime
  eval "$1=${up%%.*}"
}

# soon SECONDS COMMAND...: polls until it succeeds.
soon() {
  local now until
  uptime_into now
  until=$((now + $1))
  shift
  while ! "$@" >/dev/null 2>&1; do
    uptime_into now
    [ "$now" -le $until ] || return 1
    usleep 50000
  done
}

# within GROUP COMMAND...: it is in the group before it is what it is.
within() {
  local group=$1
  shift
  sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" "$@"
}

# as WHO GROUP LINE: the same, as another user. One process; nothing waits beside it in the group.
as() {
  if [ "$1" = root ]; then
    within "$2" sh -c "exec $3"
  else
    within "$2" su -s /bin/sh "$1" -c "exec $3"
  fi
}

# What a service manager does to give a group away.
delegate() {
  mkdir -p "$2"
  chown "$1" "$2" "$2/cgroup.procs" "$2/cgroup.subtree_control" "$2/cgroup.threads"
}

# value_of GROUP FILE KEY: of a file of lines `key value`.
value_of() {
  awk -v key="$3" '$1 == key {print $2}' "$1/$2"
}

# Ends all in a group and removes it.
clear_group() {
  [ -d "$1" ] || return 0
  echo 1 >"$1/cgroup.kill"
  soon 10 rmdir "$1"
}
