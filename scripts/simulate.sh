#!/usr/bin/env bash
# The real actors in a simulated cluster, seed by seed: faults of every kind, checked against the search without faults.
#   ./scripts/simulate.sh --seeds 100000       for the night; one summary line at the end, exit status 1 on any failure
#   ./scripts/simulate.sh --replay SEED        every state change of one seed
#   ./scripts/simulate.sh --list-planted       defects that can be planted; --plant NAME plants one, and must fail
. "$(dirname "$0")/lib.sh"
bash "$ROOT/scripts/build.sh" src/DaNas.Cli/DaNas.Cli.csproj >&2
exec "$DANAS_BIN" simulate "$@"
