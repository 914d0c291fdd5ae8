#!/usr/bin/env bash
# Builds the solution (or the project named) when something changed since the last build. DANAS_TORCH and DANAS_STACK are gone: -p:DanasTorch=cuda chooses the GPU build.
. "$(dirname "$0")/lib.sh"
for gone in DANAS_TORCH DANAS_STACK DANAS_LIBTORCH DANAS_NATIVE; do
  [ -z "${!gone:-}" ] || die "$gone is gone: there is one stack. For GPUs: dotnet build -c Release -p:DanasTorch=cuda; unset $gone"
done
target="${1:-DaNas.Actors.sln}"
stamp="$ROOT/artifacts/.built-$(printf %s "$target-$CONFIGURATION" | tr -c 'a-zA-Z0-9\n' '-')"
mkdir -p "$ROOT/artifacts"
exec 9>"$ROOT/artifacts/.build.lock"; flock 9 # Of two starts at once, the second waits and finds it built; build servers must not inherit the lock.
if [ ! -f "$stamp" ] || [ -n "$(find "$ROOT/src" "$ROOT/tests" "$ROOT/hocon" "$ROOT"/*.props "$ROOT"/*.targets "$ROOT/.editorconfig" -newer "$stamp" -not -path '*/obj/*' -print -quit)" ]; then
  say "building $target ($CONFIGURATION)"
  touch "$stamp.next"
  dotnet build "$ROOT/$target" -c "$CONFIGURATION" -v q --nologo 9>&-
  mv "$stamp.next" "$stamp"
fi
