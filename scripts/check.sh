#!/usr/bin/env bash
# Checks format, analyzers (warnings are errors), build, shell scripts and deployment files.
. "$(dirname "$0")/lib.sh"
need shellcheck 'install the package shellcheck'
bash "$ROOT/scripts/build.sh"
say "format"
dotnet format whitespace "$ROOT/DaNas.Actors.sln" --verify-no-changes --no-restore
for script in "$ROOT"/scripts/*.sh "$ROOT/scripts/danas" "$ROOT/.ci/run"; do bash -n "$script"; done
shellcheck -S warning "$ROOT/deploy/slurm/danas-trainers.sbatch"
bash "$ROOT/scripts/deploy-check.sh"
say "format, analyzers, build and deployment files are clean"
