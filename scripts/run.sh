#!/usr/bin/env bash
# Quick-start: builds the program and runs a complete search on images that the program draws itself.
. "$(dirname "$0")/lib.sh"
say "DaNas.Actors quick-start: a DA-NAS search over 6^6 architectures on 12 drawn classes, about 3 minutes after the build"
bash "$ROOT/scripts/build.sh" src/DaNas.Cli/DaNas.Cli.csproj
DANAS_COMMAND="$(dirname "$0")/danas" "$DANAS_BIN" run "$ROOT/hocon/searches/quickstart.conf" "$@"
say "to run a search on your own images (FOLDER/train/CLASS/*.jpg, FOLDER/test/CLASS/*.jpg):"
printf '   ./scripts/danas run hocon/searches/cifar10.conf --data FOLDER\n'
