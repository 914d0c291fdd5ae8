#!/usr/bin/env bash
# Runs all tests. Requires the .NET SDK; tests that also need PostgreSQL or Debian's python3-torch are skipped with the name of the missing package. Arguments are passed to 'dotnet test' (for example --filter NAME).
. "$(dirname "$0")/lib.sh"
bash "$ROOT/scripts/build.sh"
if [ -z "${DANAS_TEST_POSTGRES:-}" ] && { ls -d /usr/lib/postgresql/*/bin /usr/local/pgsql/bin 2>/dev/null || true; } | grep -q .; then
  # A private PostgreSQL server in a folder that any user can access; removed when the tests end.
  database="$(mktemp -d /tmp/danas-postgres-XXXXXX)"; chmod 755 "$database"
  trap 'bash "$ROOT/scripts/postgres.sh" drop "$database"' EXIT
  eval "$(bash "$ROOT/scripts/postgres.sh" start "$database" | grep '^export')"
  export DANAS_TEST_POSTGRES="$DANAS_JOURNAL"; unset DANAS_JOURNAL
fi
passed=0 failed=0 skipped=0 broken=0
for project in "$ROOT"/tests/*/*.csproj; do
  name="$(basename "$project" .csproj)"
  log="$ROOT/artifacts/test-$name.log"
  if ! dotnet test "$project" -c "$CONFIGURATION" --no-build --nologo -v q --logger 'console;verbosity=normal' "$@" > "$log" 2>&1; then broken=1; fi
  grep -E '^\s*(Failed|Skipped) |\[SKIP\]|\[FAIL\]' "$log" || true
  p=$(grep -oE 'Passed: +[0-9]+' "$log" | tail -1 | grep -oE '[0-9]+' || echo 0)
  f=$(grep -oE 'Failed: +[0-9]+' "$log" | tail -1 | grep -oE '[0-9]+' || echo 0)
  s=$(grep -oE 'Skipped: +[0-9]+' "$log" | tail -1 | grep -oE '[0-9]+' || echo 0)
  printf '%-32s %5s passed %3s failed %3s skipped\n' "$name" "$p" "$f" "$s"
  [ "$f" != 0 ] && grep -A25 '\[FAIL\]\|Error Message' "$log" | head -120
  passed=$((passed + p)); failed=$((failed + f)); skipped=$((skipped + s))
done
if [ "$broken" = 1 ] && [ "$failed" = 0 ]; then
  tail -40 "$ROOT"/artifacts/test-*.log; failed=1
fi
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
