#!/usr/bin/env bash
# A private PostgreSQL on loopback for development, tests and drills. Needs the package postgresql.
#   ./scripts/postgres.sh start [DIR]   starts it (DIR: default artifacts/postgres) and prints the variables to export
#   ./scripts/postgres.sh env [DIR]     prints them again       eval "$(./scripts/postgres.sh env)"
#   ./scripts/postgres.sh stop [DIR]    stops it and keeps its data
#   ./scripts/postgres.sh kill [DIR]    kill -9 of all its processes, for drills
#   ./scripts/postgres.sh drop [DIR]    stops it and removes its data
# DANAS_POSTGRES_LISTEN=10.77.0.0/24 at the first start also allows connections from that network (for drills with network namespaces).
# Nothing outside DIR is touched. The password is generated at the first start and stored in DIR/pgpass.
. "$(dirname "$0")/lib.sh"
verb="${1:-}"; DIR="$(realpath -m "${2:-$ROOT/artifacts/postgres}")"
find_bin() { { ls -d /usr/lib/postgresql/*/bin /usr/local/pgsql/bin 2>/dev/null || true; } | sort -V | tail -1; }
BIN="$(find_bin)"
as_owner() { # PostgreSQL refuses to run as root: then run it as the user created by its package, or as nobody.
  if [ "$(id -u)" = 0 ]; then setpriv --reuid="$OWNER" --regid="$(id -g "$OWNER")" --clear-groups "$@"; else "$@"; fi
}
OWNER=postgres; id postgres >/dev/null 2>&1 || OWNER=nobody
print_env() {
  [ -f "$DIR/port" ] || die "no PostgreSQL was started in $DIR; run ./scripts/postgres.sh start"
  printf 'export DANAS_JOURNAL=postgres://danas@127.0.0.1:%s/danas\nexport PGPASSFILE=%s/pgpass\n' "$(cat "$DIR/port")" "$DIR"
}
running() { # Excludes zombie processes.
  local p; p="$(head -1 "$DIR/data/postmaster.pid" 2>/dev/null)" && [ -n "$p" ] && grep -q '^State:[[:space:]]*[^Z]' "/proc/$p/status" 2>/dev/null
}
free_port() { local p; for p in $(shuf -i 20000-29999 -n 50); do (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null || { echo "$p"; return; }; done; die "no free port between 20000 and 29999"; }
control() { as_owner "$BIN/pg_ctl" -D "$DIR/data" -s "$@"; }

start() {
  [ -n "$BIN" ] || die "PostgreSQL is missing: install the package postgresql"
  running && { print_env; return; }
  mkdir -p "$DIR"
  if [ ! -d "$DIR/data" ]; then
    local password; password="$(head -c 18 /dev/urandom | base64 | tr -d '+/=')"
    free_port > "$DIR/port"
    (umask 077; printf '*:%s:*:danas:%s\n' "$(cat "$DIR/port")" "$password" > "$DIR/pgpass"; printf '%s\n' "$password" > "$DIR/password")
    mkdir "$DIR/data"
    [ "$(id -u)" = 0 ] && chown "$OWNER" "$DIR" "$DIR/data" "$DIR/password"
    as_owner test -x "$DIR/data" || die "$DIR is inside a folder that user $OWNER cannot access; specify another one: ./scripts/postgres.sh $verb /tmp/danas-postgres"
    as_owner "$BIN/initdb" -D "$DIR/data" -U danas --auth=scram-sha-256 --pwfile="$DIR/password" -E UTF8 --locale=C >/dev/null
    rm -f "$DIR/password"
    local listen=127.0.0.1
    if [ -n "${DANAS_POSTGRES_LISTEN:-}" ]; then
      listen='*'; printf 'host all danas %s scram-sha-256\n' "$DANAS_POSTGRES_LISTEN" >> "$DIR/data/pg_hba.conf"
    fi
    printf "listen_addresses = '$listen'\nport = %s\nunix_socket_directories = '%s'\nmax_connections = 200\n" "$(cat "$DIR/port")" "" >> "$DIR/data/postgresql.conf"
  fi
  control -w -t 60 -l "$DIR/data/server.log" start >/dev/null || { tail -20 "$DIR/data/server.log" >&2; die "PostgreSQL did not start in $DIR"; }
  eval "$(print_env)"
  "$BIN/psql" -h 127.0.0.1 -p "$(cat "$DIR/port")" -U danas -d postgres -qAtc "SELECT 1 FROM pg_database WHERE datname = 'danas'" | grep -q 1 ||
    "$BIN/createdb" -h 127.0.0.1 -p "$(cat "$DIR/port")" -U danas danas
  print_env
}

case "$verb" in
  start) start ;;
  env) print_env ;;
  stop) running && control -m fast stop >/dev/null; true ;;
  kill)
    if running; then
      p="$(head -1 "$DIR/data/postmaster.pid")"
      mapfile -t all < <(cat "/proc/$p/task/$p/children" | tr ' ' '\n' | grep .)
      kill -9 "$p" "${all[@]}" 2>/dev/null || true
      while running; do sleep 0.05; done
    fi ;;
  drop) running && control -m immediate stop >/dev/null; rm -rf "$DIR" ;;
  *) die "usage: ./scripts/postgres.sh start|env|stop|kill|drop [DIR]" ;;
esac
