# Sourced by the examples beside this folder: a daemon on a free port with a state folder of its
# own, which is ended with all that it started.
#
#   serve FILE     starts it with that configuration; $url is its address then
#   step TEXT      what comes next
#   show COMMAND   prints a command, and runs it
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
root=$(readlink -f "$here/../..")
hearth=${HEARTH:-}
for found in "$root"/build/{release,dev}/hearth "$(command -v hearth || true)"; do
  [[ -n $hearth || ! -x $found ]] || hearth=$found
done
[[ -n $hearth ]] || { echo "no hearth: run ./quickstart first, or set HEARTH=PATH" >&2; exit 1; }
hearth=$(readlink -f "$hearth")
hearth() { "$hearth" "$@"; }

work=$(mktemp -d "${TMPDIR:-/tmp}/hearth-example-XXXXXX")
started=()
finish() {
  local pid
  for pid in "${started[@]}"; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap finish EXIT

step() { printf '\n== %s\n' "$*"; }
show() {
  printf '$ %s\n' "$*" >&2  # so that what it prints can go into a file
  "$@"
}
ask() { python3 "$here/ask.py" "$url" "$@"; }

free_port() {
  python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

serve() {
  export HEARTH_CONFIG=$work/served.yaml
  { printf 'listen: {http: "127.0.0.1:0"}\nstate: %s/state\n' "$work"; cat "$1"; } >"$HEARTH_CONFIG"
  "$hearth" serve >"$work/log" 2>&1 &
  started+=($!)
  local i
  for ((i = 0; i < 300; ++i)); do
    if url=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["http"])' \
      "$work/state/address.json" 2>/dev/null); then
      return
    fi
    sleep 0.1
  done
  cat "$work/log" >&2
  exit 1
}
