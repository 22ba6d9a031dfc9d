# The daemon and its command line over three components: one takes far more than its limit, one is
# quiet, one is leased. What the first does has to stay its own affair.
. ./lib.sh

ask() {
  local words=$1
  shift
  su -s /bin/sh "$who" -c "exec hearth $words --config $config $*"
}
# look: what the next claims are made of. One question, because each costs most of a second here.
look() { ask "ps --json" >"/tmp/$who.ps"; }
# told NAME KEY: of that; a component's keys come after its name.
told() {
  awk -v name="\"$1\"," -v key="\"$2\":" '
    $1 == "\"name\":" { is_it = $2 == name }
    is_it && $1 == key { gsub("[\",]", "", $2); print $2 }' "/tmp/$who.ps"
}
group_of() { sed -n 's/^0:://p' "/proc/$1/cgroup"; }
is_gone() { [ ! -e "$1" ]; }
told_pid() { sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' "$state/address.json"; }
# The file of one that was killed names a process that is no more.
is_up() { [ "$(told_pid)" ] && [ -d "/proc/$(told_pid)" ]; }
has_failed() { look && [ "$(told bloat state)" = failed ]; }
has_no_component() { [ -z "$(ls -d "$group"/hearth-*-* 2>/dev/null)" ]; }

write_config() {
  cat >"$config" <<END
listen: {http: "127.0.0.1:0"}
state: $state
memory: {budget: 400MB}
drain: 1s
pressure: {medium: 64MiB, high: 48MiB, critical: 32MiB, emergency: 16MiB}
components:
  bloat:
    cmd: [$component, --wait, "1000", --allocate, "600", --listen, "\${PORT}"]
    memory: 64MiB
    limits: {memory: 64MiB, pids: 16, cpus: 1}
  quiet:
    cmd: [$component, --allocate, "8", --listen, "\${PORT}"]
    ready: {http: /health}
    memory: 32MiB
    limits: {memory: 64MiB}
  leased:
    cmd: [$component, --allocate, "8", --listen, "\${PORT}"]
    ready: {http: /health}
    memory: 32MiB
END
}

start_daemon() {
  as "$who" "$1" "hearth serve --config $config" >>"$log" 2>&1 &
  soon 20 is_up || fail "it does not answer: $(tail -n 3 "$log")"
  daemon=$(told_pid)
  echo "$daemon" >"/tmp/$who.pid"
}

starts_in_its_group() {
  start_daemon "$group"
  ask load quiet || fail "quiet is not loaded"
  ask "command leased" --lease 10m || fail "leased is not leased"
  ask load bloat || fail "bloat is not loaded"
  look
  told quiet pid >"/tmp/$who.quiet"
  told leased pid >"/tmp/$who.leased"
  [ "$(group_of "$daemon")" = "/${group##*/}/hearth-daemon" ] || fail "in $(group_of "$daemon")"
}

# Before it begins to take memory.
limits_are_in_force() {
  local directory
  directory=$top$(group_of "$(told bloat pid)")
  [ "$(cat "$directory/memory.max")" = 67108864 ] || fail "memory.max of $directory"
  [ "$(cat "$directory/pids.max")" = 16 ] || fail "pids.max of $directory"
  [ "$(cat "$directory/cpu.max")" = "100000 100000" ] || fail "cpu.max of $directory"
  ! grep -rq "limits are not in force" "$state/logs" || fail "a log says that there are none"
}

bloat_is_ended() {
  local why
  soon 40 has_failed || fail "it is $(told bloat state)"
  why=$(ask "why bloat")
  echo "$why" | grep -q 'exited while it was ready' || fail "$why"
  echo "$why" | grep -q 'SIGKILL' || fail "$why"
  ask status | grep -q '1 failed' || fail "the status does not tell of it"
}

lives() {
  local before
  before=$(cat "/tmp/$who.$1")
  [ "$before" ] && [ "$(told "$1" pid)" = "$before" ] || fail "was $before, is $(told "$1" pid)"
  [ -d "/proc/$before" ] || fail "its process is gone"
  [ "$(told "$1" state)" = ready ] || fail "it is $(told "$1" state)"
}

leased_is_still_held() {
  lives leased
  [ "$(told leased leases)" = 1 ] || fail "its lease is gone"
}

# It takes away what it made, so that the group is as it was given.
an_end_leaves_the_group_as_it_was() {
  daemon=$(cat "/tmp/$who.pid")
  kill "$daemon"
  soon 30 is_gone "/proc/$daemon" || fail "SIGTERM did not end it"
  has_no_component || fail "left: $(ls -d "$group"/hearth-*)"
  soon 5 is_gone "$group/hearth-daemon" || fail "its leaf is left"
  [ -z "$(cat "$group/cgroup.subtree_control")" ] || fail "its controllers are still handed on"
}

# A leaf is left by a daemon that was killed: the next one is started in it.
a_killed_daemon_leaves_no_component() {
  start_daemon "$group"
  ask load quiet || fail "quiet is not loaded"
  kill -9 "$daemon"
  soon 5 has_no_component || fail "left: $(ls -d "$group"/hearth-*)"
  start_daemon "$group/hearth-daemon"
  ask load quiet || fail "quiet is not loaded again"
  look
  limit=$top$(group_of "$(told quiet pid)")/memory.max
  [ "$(cat "$limit")" = 67108864 ] || fail "$limit"
  kill "$daemon"
  soon 30 is_gone "/proc/$daemon" || fail "SIGTERM did not end it"
}

# Of all that ran before, too: groups that were to run out of memory are named for it.
nothing_else_was_killed() {
  local others
  others=$(dmesg | grep 'oom-kill:' |
    grep -vE 'CONSTRAINT_MEMCG.*oom_memcg=(/facts/max|/given/limited|/hearth-[a-z]+/hearth-bloat-)')
  [ -z "$others" ] || fail "$others"
  dmesg | grep -q "oom_memcg=/hearth-$who/hearth-bloat-" || fail "bloat was not killed by its limit"
}

for who in root $user; do
  group=$top/hearth-$who state=/tmp/state-$who config=/tmp/$who.yaml log=/tmp/$who.log
  write_config
  delegate $who "$group"
  # So that it does not take half a minute until swap is full and the limit ends what it limits.
  echo 64M >"$group/memory.swap.max"
  # Where that limit does not hold, this one saves the rest of the tests.
  echo 320M >"$group/memory.max"
  test_of $who/daemon-starts-in-its-group starts_in_its_group
  test_of $who/limits-are-in-force limits_are_in_force
  test_of $who/bloat-is-ended-and-that-is-told bloat_is_ended
  test_of $who/quiet-lives lives quiet
  test_of $who/leased-lives-and-is-held leased_is_still_held
  test_of $who/nothing-else-was-killed nothing_else_was_killed
  test_of $who/an-end-leaves-the-group-as-it-was an_end_leaves_the_group_as_it_was
  test_of $who/a-killed-daemon-leaves-no-component a_killed_daemon_leaves_no_component
  echo "vm: the daemon's log for $who: $(wc -l <"$log") lines"
  sed 's/^/  /' "$log"
done
