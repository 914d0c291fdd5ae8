#!/usr/bin/env bash
# Runs the real actors in a simulated cluster, one run per seed, with all kinds of faults, and checks the results against a fault-free search.
#   ./scripts/simulate.sh --seeds 100000       an overnight run; prints one summary line at the end and exits with status 1 on any failure
#   ./scripts/simulate.sh --replay SEED        every state change of one seed
#   ./scripts/simulate.sh --list-planted       lists the defects that can be injected; --plant NAME injects one, and the run must fail
. "$(dirname "$0")/lib.sh"
bash "$ROOT/scripts/build.sh" src/DaNas.Cli/DaNas.Cli.csproj >&2
exec "$DANAS_BIN" simulate "$@"
