#!/usr/bin/env bash
# Builds the solution (or the projects named) when something changed since the last build.
. "$(dirname "$0")/lib.sh"
bash "$ROOT/scripts/bootstrap.sh"
target="${1:-DaNas.Actors.sln}"
stamp="$ROOT/artifacts/.built-$(printf %s "$target-$CONFIGURATION" | tr -c 'a-zA-Z0-9\n' '-')"
if stale "$stamp" "$ROOT/src" "$ROOT/tests" "$ROOT/hocon" "$ROOT"/*.props "$ROOT"/*.targets "$ROOT/.editorconfig" "$ROOT"/artifacts/native/*.so "$ROOT/artifacts/world.props"; then
  say "building $target ($CONFIGURATION)"
  touch "$stamp.next"
  dotnet build "$ROOT/$target" -c "$CONFIGURATION" -v q --nologo
  mv "$stamp.next" "$stamp"
fi
