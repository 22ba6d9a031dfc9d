# What the kernel does that Hearth relies on: one test a fact.
. ./lib.sh
facts=$top/facts
mkdir $facts
echo "+memory +cpu +pids" >$facts/cgroup.subtree_control
mib=1048576

is_above() { [ "$(value_of "$1" "$2" "$3")" -gt "$4" ]; }
is_below() { [ "$(cat "$1")" -lt "$2" ]; }
holds() { [ "$(value_of "$1" "$2" "$3")" = "$4" ]; }
has_at_least() { [ "$(cat "$1/memory.current")" -ge "$2" ]; }
has_members() { [ "$(wc -l <"$1/cgroup.procs")" -ge "$2" ]; }

# new NAME: a group without swap, so that a limit is met at once.
new() {
  group=$facts/$1
  mkdir "$group"
  echo 0 >"$group/memory.swap.max"
}

high_throttles() {
  new high
  echo $((16 * mib)) >"$group/memory.high"
  within "$group" $component --allocate 200 --exit 0 >/dev/null 2>&1 &
  soon 20 is_above "$group" memory.events high 3 || fail "it never counted as high"
  sleep 1
  kill -0 $! || fail "it was not held back: it ended"
  is_below "$group/memory.current" $((64 * mib)) || fail "it has $(cat "$group/memory.current")"
  holds "$group" memory.events oom_kill 0 || fail "it was killed"
}

# Of the group that was throttled; what the whole machine has is in /proc.
pressure_is_told() {
  local total
  grep -q 'some avg10=.* total=' "$facts/high/memory.pressure" || fail "the file is not as it was"
  total=$(sed -n 's/^some.*total=//p' "$facts/high/memory.pressure")
  [ "$total" -gt 0 ] || fail "a group that waits for memory shows no pressure"
  grep -q '^full .*total=' /proc/pressure/memory || fail "/proc/pressure/memory is not there"
}

max_kills_only_inside() {
  local beside
  new beside
  within "$group" sleep 600 >/dev/null 2>&1 &
  beside=$!
  new max
  echo $((16 * mib)) >"$group/memory.max"
  within "$group" $component --allocate 200 >/dev/null 2>&1 && fail "it was not killed"
  holds "$group" memory.events oom_kill 1 || fail "$(cat "$group/memory.events")"
  kill -0 $beside || fail "its neighbour is gone"
  dmesg | grep -q 'constraint=CONSTRAINT_MEMCG.*oom_memcg=/facts/max,' || fail "nobody told"
}

peak_is_kept() {
  new peak
  within "$group" $component --allocate 32 --exit 0 >/dev/null 2>&1
  [ "$(cat "$group/memory.peak")" -ge $((32 * mib)) ] || fail "$(cat "$group/memory.peak")"
  is_below "$group/memory.current" $((16 * mib)) || fail "what ended is still counted"
}

reclaim_swaps_out() {
  new reclaim
  echo max >"$group/memory.swap.max"
  within "$group" $component --allocate 48 >/dev/null 2>&1 &
  soon 20 has_at_least "$group" $((48 * mib)) || fail "it has $(cat "$group/memory.current")"
  echo $((32 * mib)) >"$group/memory.reclaim" || fail "it was refused"
  is_below "$group/memory.current" $((32 * mib)) || fail "it has $(cat "$group/memory.current")"
  [ "$(cat "$group/memory.swap.current")" -gt $((16 * mib)) ] || fail "nothing is in swap"
}
freeze_stops_and_thaws() {
  local before
  new freeze
  within "$group" sh -c 'while :; do :; done' >/dev/null 2>&1 &
  soon 10 is_above "$group" cpu.stat usage_usec 20000 || fail "it does not run"
  echo 1 >"$group/cgroup.freeze"
  soon 10 holds "$group" cgroup.events frozen 1 || fail "it does not freeze"
  before=$(value_of "$group" cpu.stat usage_usec)
  usleep 500000
  holds "$group" cpu.stat usage_usec "$before" || fail "it ran on"
  echo 0 >"$group/cgroup.freeze"
  soon 10 is_above "$group" cpu.stat usage_usec $((before + 20000)) || fail "it does not go on"
}

# A session of its own keeps nothing out of reach, nor does being frozen.
kill_takes_all() {
  new kill
  within "$group" sh -c 'setsid sleep 600 & setsid sleep 600 & sleep 600' >/dev/null 2>&1 &
  soon 10 has_members "$group" 3 || fail "they do not start"
  echo 1 >"$group/cgroup.freeze"
  echo 1 >"$group/cgroup.kill"
  soon 10 holds "$group" cgroup.events populated 0 || fail "$(wc -l <"$group/cgroup.procs") left"
}
pids_max_refuses_forks() {
  new pids
  echo 2 >"$group/pids.max"
  within "$group" sh -c 'sleep 1 & sleep 1 & sleep 1 & wait' >/dev/null 2>&1
  is_above "$group" pids.events max 0 || fail "nothing was refused"
}

cpu_max_holds_back() {
  new cpu
  echo "10000 100000" >"$group/cpu.max"
  within "$group" sh -c 'while :; do :; done' >/dev/null 2>&1 &
  sleep 2
  is_above "$group" cpu.stat nr_throttled 5 || fail "it was never held back"
  is_above "$group" cpu.stat usage_usec 600000 && fail "it had far more than a tenth"
  return 0
}

no_process_inside() {
  new inner
  mkdir "$group/below"
  within "$group" sleep 600 >/dev/null 2>&1 &
  soon 10 has_members "$group" 1 || fail "it does not start"
  echo +memory >"$group/cgroup.subtree_control" && fail "it was allowed"
  [ ! -e "$group/below/memory.max" ] || fail "the controller is there nevertheless"
  clear_group "$group/below"
}

a_user_limits_what_is_his() {
  delegate $user $top/given
  as $user $top/given "sh ./delegated.sh"
}

test_of fact/memory.high-throttles high_throttles
test_of fact/memory.pressure-is-told pressure_is_told
test_of fact/memory.max-kills-only-inside max_kills_only_inside
test_of fact/memory.peak-is-kept peak_is_kept
test_of fact/memory.reclaim-swaps-out reclaim_swaps_out
test_of fact/cgroup.freeze-stops-and-thaws freeze_stops_and_thaws
test_of fact/cgroup.kill-takes-all kill_takes_all
test_of fact/pids.max-refuses-forks pids_max_refuses_forks
test_of fact/cpu.max-holds-back cpu_max_holds_back
test_of fact/a-group-that-gives-controllers-on-holds-no-process no_process_inside
test_of fact/a-user-limits-what-was-delegated a_user_limits_what_is_his
for group in $facts/* $top/given/* $top/given; do
  [ ! -d "$group" ] || clear_group "$group"
done
