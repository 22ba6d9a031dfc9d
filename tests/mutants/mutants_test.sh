#!/usr/bin/env bash
# Every planted bug of this folder is caught by the swarm.
exec python3 "$(dirname "$(readlink -f "$0")")/run"
