#!/usr/bin/env bash
# Builds the solution (or the specified project) if anything changed since the last build. DANAS_TORCH and DANAS_STACK are no longer supported: use -p:DanasTorch=cuda for the GPU build.
. "$(dirname "$0")/lib.sh"
for gone in DANAS_TORCH DANAS_STACK DANAS_LIBTORCH DANAS_NATIVE; do
  [ -z "${!gone:-}" ] || die "$gone is no longer supported; unset it. For GPUs, use: dotnet build -c Release -p:DanasTorch=cuda"
done
target="${1:-DaNas.Actors.sln}"
stamp="$ROOT/artifacts/.built-$(printf %s "$target-$CONFIGURATION" | tr -c 'a-zA-Z0-9\n' '-')"
mkdir -p "$ROOT/artifacts"
exec 9>"$ROOT/artifacts/.build.lock"; flock 9 # If two builds start at the same time, the second waits for the first; build servers must not inherit the lock.
if [ ! -f "$stamp" ] || [ -n "$(find "$ROOT/src" "$ROOT/tests" "$ROOT/hocon" "$ROOT"/*.props "$ROOT"/*.targets "$ROOT/.editorconfig" -newer "$stamp" -not -path '*/obj/*' -print -quit)" ]; then
  say "building $target ($CONFIGURATION)"
  touch "$stamp.next"
  dotnet build "$ROOT/$target" -c "$CONFIGURATION" -v q --nologo 9>&-
  mv "$stamp.next" "$stamp"
fi
