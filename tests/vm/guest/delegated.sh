# Run as the ordinary user, in the group that was given to him: what he can do there, and cannot.
. ./lib.sh
given=$top/given

mkdir $given/own $given/limited || fail "he may not make groups"
echo $$ >$given/own/cgroup.procs || fail "he may not move within what is his"
echo "+memory +pids" >$given/cgroup.subtree_control || fail "he may not hand controllers on"
echo 16777216 >$given/limited/memory.max || fail "he may not set a limit"
echo 0 >$given/limited/memory.swap.max || fail "he may not forbid swap"
within $given/limited $component --allocate 100 >/dev/null 2>&1 && fail "the limit does not hold"
[ "$(value_of $given/limited memory.events oom_kill)" = 1 ] || fail "it did not end by the limit"
[ "$(cat $given/limited/memory.current)" ] || fail "he may not read what it takes"
if (echo max >$given/memory.max) 2>/dev/null; then fail "he may lift his own limit"; fi
if (echo $$ >$top/cgroup.procs) 2>/dev/null; then fail "he may leave"; fi
exit 0
