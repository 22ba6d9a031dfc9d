# The daemon and its command line over three components: one takes far more than its limit, one is
# quiet, one is leased. What the first does has to stay its own affair.
. ./lib.sh

ask() { hearth "$@" --config "$config"; }
pid_of() { ask ps --json | tr -d ' \n' | sed "s/.*\"name\":\"$1\"//" | sed 's/.*"pid":\([0-9]*\).*/\1/;'; }

write_config() {
  cat >"$config" <<END
listen: {http: "127.0.0.1:0"}
state: $state
memory: {budget: 400MB}
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
