# The unit tests that touch control groups, as root and as an ordinary user, each in a group that
# is theirs alone. HEARTH_DELEGATED tells them that limits have to be in force.
. ./lib.sh
export HEARTH_DELEGATED=1

# results PREFIX: of gtest's output, one line a test.
results() {
  awk -v prefix="$1" '
    /^\[ RUN      \]/ { why = "" }
    /Failure$/ { why = $0; getline; why = why " " $0 }
    /^\[       OK \] .* ms\)$/ { print "ok " prefix "/" $4 }
    /^\[  SKIPPED \] .* ms\)$/ { print "skipped " prefix "/" $4 ": the test says so" }
    /^\[  FAILED  \] .* ms\)$/ { sub(",$", "", $4); print "not ok " prefix "/" $4 ": " why }'
}

# suite WHO PROGRAM FILTER
suite() {
  local name=$1/$2 group=$top/suite-$1-$2 log=/tmp/suite-$1-$2.log found
  delegate "$1" "$group"
  as "$1" "$group" "/bin/$2 --gtest_filter=$3 --gtest_color=no" >"$log" 2>&1 &
  wait $! || { echo "vm: $name ended with status $?:"; tail -n 40 "$log"; }
  found=$(results "$name" <"$log")
  echo "${found:-not ok $name: no test ran}"
  if grep -q '^\[==========\] .* ran' "$log"; then clear_group "$group"; else
    echo "not ok $name: it did not come to its end"
  fi
}

for who in root $user; do
  suite $who runtime_test "'*Group*:*Limit*:OomScore*'"
  process="*.LimitsAre*:*.EveryComponent*:*.TellsThat*:*.TheScore*"
  laws="*/DriverLaws.*/process-*.ManyCycles*:*DeadDaemon.Noth*"
  suite $who drivers_test "'$process:Hibernation.*:$laws'"
done
