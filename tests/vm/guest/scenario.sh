# The daemon and its command line over five components: one takes more than its limit and is held
# back until it is ended, one takes it too fast for that, one is quiet, one is leased, one is core.
# What the first two do has to stay their own affair.
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
has_failed() { look && [ "$(told "$1" state)" = failed ]; }
has_loads() { look && [ "$(told "$1" loads)" -ge "$2" ]; }
score_of() { cat "/proc/$1/oom_score_adj"; }
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
    priority: low
    limits: {memory: 64MiB, pids: 16, cpus: 1}
  greedy:
    # At once: what is idle for a while has less of the processor, and is held back in time.
    cmd: [$component, --wait, "100", --threads, "16", --allocate, "600", --listen, "\${PORT}"]
    memory: 64MiB
    limits: {memory: 64MiB}
  quiet:
    cmd: [$component, --allocate, "8", --listen, "\${PORT}"]
    ready: {http: /health}
    memory: 32MiB
    priority: high
    limits: {memory: 64MiB}
  leased:
    cmd: [$component, --allocate, "8", --listen, "\${PORT}"]
    ready: {http: /health}
    memory: 32MiB
  base:
    cmd: [$component, --listen, "\${PORT}"]
    ready: {http: /health}
    memory: 16MiB
    priority: core
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

# Limited or not; their supervisors stay with the daemon.
each_has_its_group() {
  local name supervisor
  for name in base quiet leased bloat; do
    supervisor=$(told $name supervisor_pid)
    [ "$(group_of "$(told $name pid)")" = "/${group##*/}/hearth-$name-$supervisor" ] ||
      fail "$name is in $(group_of "$(told $name pid)")"
    [ "$(group_of "$supervisor")" = "/${group##*/}/hearth-daemon" ] ||
      fail "its supervisor is in $(group_of "$supervisor")"
    [ "$(cat "$top$(group_of "$(told $name pid)")/memory.oom.group")" = 1 ] ||
      fail "$name is not ended as a whole"
  done
}

scores_are_by_priority() {
  local before=0 name score daemon
  daemon=$(cat "/tmp/$who.pid")
  [ "$(score_of "$daemon")" = 0 ] || fail "the daemon has $(score_of "$daemon")"
  for name in base quiet leased bloat; do
    score=$(score_of "$(told $name pid)")
    [ "$score" -gt "$before" ] || fail "$name has $score, the one before it $before"
    [ "$(score_of "$(told $name supervisor_pid)")" = 0 ] || fail "a supervisor is not the daemon's"
    before=$score
  done
}

# Before it begins to take memory.
limits_are_in_force() {
  local directory
  directory=$top$(group_of "$(told bloat pid)")
  [ "$(cat "$directory/memory.max")" = 67108864 ] || fail "memory.max of $directory"
  [ "$(cat "$directory/memory.high")" = 58720256 ] || fail "memory.high of $directory"
  [ "$(cat "$directory/memory.swap.max")" = 0 ] || fail "memory.swap.max of $directory"
  [ "$(cat "$directory/pids.max")" = 16 ] || fail "pids.max of $directory"
  [ "$(cat "$directory/cpu.max")" = "100000 100000" ] || fail "cpu.max of $directory"
  ! grep -rq "limits are not in force" "$state/logs" || fail "a log says that there are none"
}

ends_and_tells() {
  local why
  soon 60 has_failed "$1" || fail "it is $(told "$1" state)"
  why=$(ask "why $1")
  echo "$why" | grep -q 'exited while it was ready' || fail "$why"
  echo "$why" | grep -q "$2" || fail "$why"
  ask status | grep -q "$3 failed" || fail "the status does not tell of it"
}

# By Hearth, before the kernel has to.
bloat_is_held_back_and_ended() { ends_and_tells bloat 'over its limit of 64MiB for 5s' 1; }

greedy_is_killed_and_that_is_told() {
  ask load greedy || fail "greedy is not loaded"
  ends_and_tells greedy 'killed by the kernel: over its limit of 64MiB' 2
}

# Somebody holds it: then it comes back by itself.
bloat_is_restarted() {
  local loads
  look
  loads=$(told bloat loads)
  ask "command bloat" --lease 10m || fail "bloat is not leased"
  soon 90 has_loads bloat $((loads + 2)) || fail "$(told bloat loads) loads, before $loads"
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
  others=$(dmesg | grep 'oom-kill:' | grep -vE \
    'CONSTRAINT_MEMCG.*oom_memcg=(/facts/max|/given/limited|/.*/hearth-(greedy|comp|bloat)-)')
  [ -z "$others" ] || fail "$others"
  dmesg | grep -q "oom_memcg=/hearth-$who/hearth-greedy-" || fail "greedy was not killed there"
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
  test_of $who/each-has-its-group each_has_its_group
  test_of $who/scores-are-by-priority scores_are_by_priority
  test_of $who/limits-are-in-force limits_are_in_force
  test_of $who/bloat-is-held-back-and-ended-and-that-is-told bloat_is_held_back_and_ended
  test_of $who/greedy-is-killed-and-that-is-told greedy_is_killed_and_that_is_told
  test_of $who/bloat-is-restarted-while-it-is-held bloat_is_restarted
  test_of $who/quiet-lives lives quiet
  test_of $who/leased-lives-and-is-held leased_is_still_held
  test_of $who/nothing-else-was-killed nothing_else_was_killed
  test_of $who/an-end-leaves-the-group-as-it-was an_end_leaves_the_group_as_it_was
  test_of $who/a-killed-daemon-leaves-no-component a_killed_daemon_leaves_no_component
  echo "vm: the daemon's log for $who: $(wc -l <"$log") lines"
  sed 's/^/  /' "$log"
done
