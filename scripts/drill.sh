#!/usr/bin/env bash
# Drills that take too long for the test suite.
#   ./scripts/drill.sh kill-resume [--runs 5] [CONF [danas run options]]   kill -9 at random moments, resume, compare with a fault-free search
#   ./scripts/drill.sh sweep [--independent 30]      kill -9 just before and after every event and blob, chained and one by one
#   ./scripts/drill.sh kill-loop [--mean 5s] [--minutes 30] [CONF]   kill a random process at a random moment, repeatedly; reports goodput and recovery time
#   ./scripts/drill.sh failover [--runs 10] [--json]  a cluster on loopback with PostgreSQL: leader killed and frozen, trainers killed
#   ./scripts/drill.sh throughput --data FOLDER      images/s of a cluster with one and two trainers, compared with bare engine processes
#   ./scripts/drill.sh renewal                       renews the certificate of every node of a cluster while searches run
#   ./scripts/drill.sh partitions [--nodes 3,5] [--down 0,20,60]  kills with downtime, link failures of every kind (needs root)
#   ./scripts/drill.sh soak [--minutes 30] [--cluster]  one long search: memory, threads, files, tensors, journal; with --cluster: no change of leader, no trainer lost
. "$(dirname "$0")/lib.sh"
kind="${1:-}"
case " $* " in *' --cluster '*) [ "$kind" != soak ] || kind=cluster-soak ;; esac
case "$kind" in
  sweep|kill-loop|soak) bash "$ROOT/scripts/build.sh" src/DaNas.Cli/DaNas.Cli.csproj; exec "$DANAS_BIN" drill "$@" ;;
  failover|throughput|renewal|partitions|cluster-soak)
    bash "$ROOT/scripts/build.sh" src/DaNas.Cli/DaNas.Cli.csproj >&2
    if [ -z "${DANAS_JOURNAL:-}" ]; then
      database="$(mktemp -d /tmp/danas-postgres-XXXXXX)"; chmod 755 "$database"
      trap 'bash "$ROOT/scripts/postgres.sh" drop "$database"' EXIT
      if [ "$1" = partitions ]; then
        need ip 'install the package iproute2'
        export DANAS_POSTGRES_LISTEN=10.77.0.0/24 DANAS_DATABASE_KILL="bash '$ROOT/scripts/postgres.sh' kill '$database'" DANAS_DATABASE_START="bash '$ROOT/scripts/postgres.sh' start '$database'"
      fi
      eval "$(bash "$ROOT/scripts/postgres.sh" start "$database" | grep '^export')"
    fi
    "$DANAS_BIN" drill "$@"; exit ;;
  kill-resume) shift ;;
  *) die "usage: ./scripts/drill.sh kill-resume|sweep|kill-loop|failover|throughput|renewal|partitions|soak [options]" ;;
esac
runs=5
if [ "${1:-}" = --runs ]; then runs="$2"; shift 2; fi
[ $# -gt 0 ] || set -- "$ROOT/hocon/searches/quickstart.conf"
need pgrep 'install the package procps'
bash "$ROOT/scripts/build.sh" src/DaNas.Cli/DaNas.Cli.csproj
out="$(mktemp -d)"; export DANAS_OUT="$out"
field() { sed -n "s/.*\"$1\":\"\\{0,1\\}\\([^\",}]*\\).*/\\1/p"; }

start=$(date +%s)
clean=$("$DANAS_BIN" run "$@" --id clean --json | tail -1)
length=$(( $(date +%s) - start ))
decision=$(printf %s "$clean" | field decisionHash); weights=$(printf %s "$clean" | field weightsHash)
say "fault-free: ${length} s, decision ${decision:0:16}, weights ${weights:0:16}"
failures=0
for i in $(seq "$runs"); do
  setsid "$DANAS_BIN" run "$@" --id "killed-$i" --json > "$out/killed-$i.txt" 2>&1 &
  pid=$!
  begin=$(date +%s)
  until [ -s "$out/searches/killed-$i/journal.head" ]; do kill -0 "$pid" 2>/dev/null || die "the search ended immediately: $(tail -1 "$out/killed-$i.txt")"; sleep 0.05; done # Before its first event there is no search to resume.
  left=$(( length - $(date +%s) + begin ))
  sleep "$(( (left > 0 ? left : 1) * (5 + RANDOM % 86) / 100 ))"
  moment=$(( $(date +%s) - begin ))
  if [ "$i" = 3 ]; then
    victim=$(pgrep -P "$pid" -f 'danas trainer' | head -1)
    kill -9 "$victim"; how="one trainer"
    wait "$pid" || true
    result=$(tail -1 "$out/killed-$i.txt"); prefix="-"
  else
    kill -9 -- "-$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true
    how="all processes"
    "$DANAS_BIN" events "killed-$i" --json > "$out/before-$i"
    result=$("$DANAS_BIN" resume "killed-$i" --json 2>>"$out/killed-$i.txt" | tail -1)
    "$DANAS_BIN" events "killed-$i" --json > "$out/after-$i"
    lines=$(wc -l < "$out/before-$i")
    if head -n "$lines" "$out/after-$i" | cmp -s - "$out/before-$i"; then prefix="unchanged ($lines events)"; else prefix="CHANGED"; failures=$((failures + 1)); fi
  fi
  redone=$(grep '"id":402,' "$out/searches/killed-$i/log.jsonl" | field unit | sort | uniq -d | tr '\n' ' ')
  d=$(printf %s "$result" | field decisionHash); w=$(printf %s "$result" | field weightsHash)
  verdict=equal
  if [ "$d" != "$decision" ] || [ "$w" != "$weights" ]; then verdict=DIFFERENT; failures=$((failures + 1)); fi
  say "kill $i after $moment s ($how): hashes $verdict, prefix $prefix, units repeated: ${redone:-none}"
done
other=$("$DANAS_BIN" run "$@" --set search.seed=2 --id other --json | tail -1)
[ "$(printf %s "$other" | field decisionHash)" != "$decision" ] || failures=$((failures + 1))
say "seed 2: decision $(printf %s "$other" | field decisionHash | cut -c1-16), weights $(printf %s "$other" | field weightsHash | cut -c1-16)"
rm -rf "$out"
printf '%d kills, %d failures\n' "$runs" "$failures"
[ "$failures" = 0 ]
