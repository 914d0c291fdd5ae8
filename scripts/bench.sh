#!/usr/bin/env bash
# Benchmarks the training step against PyTorch (interleaved pairs, medians), the journal, the orchestration overhead, and blob transfer between nodes compared with cp and nc. Prints a table and writes JSON to artifacts/bench.json.
#   PAIRS=5 SECONDS_EACH=4 ./scripts/bench.sh
. "$(dirname "$0")/lib.sh"
bash "$ROOT/scripts/build.sh" src/DaNas.Cli/DaNas.Cli.csproj
/usr/bin/python3 -c 'import torch' 2>/dev/null || die "PyTorch, which is needed for the comparison, is missing: install the package python3-torch"
need nc 'install the package netcat-openbsd'
PAIRS="${PAIRS:-5}" EACH="${SECONDS_EACH:-4}"
PEER=/usr/bin/python3
rate() { sed -n 's/.*"imagesPerSecond": *\([0-9.]*\).*/\1/p'; }
rows="$ROOT/artifacts/bench-rows.txt"; : > "$rows"
export OMP_WAIT_POLICY=PASSIVE
for threads in 1 2; do
  [ "$threads" -le "$(nproc)" ] || continue
  for pair in $(seq "$PAIRS"); do
    a=$("$DANAS_BIN" bench step --threads "$threads" --seconds "$EACH" | rate)
    b=$("$PEER" "$ROOT/scripts/bench/step.py" --threads "$threads" --seconds "$EACH" 2>/dev/null | rate)
    c=$("$PEER" "$ROOT/scripts/bench/step.py" --threads "$threads" --layout default --seconds "$EACH" 2>/dev/null | rate)
    printf '%s %s %s %s\n' "$threads" "$a" "$b" "$c" >> "$rows"
  done
done
journal=$("$DANAS_BIN" bench journal)
o1=$("$DANAS_BIN" bench overhead --units 100); o2=$("$DANAS_BIN" bench overhead --units 1000); o3=$("$DANAS_BIN" bench overhead --units 10000)
"$PEER" - "$rows" "$journal" "$o1" "$o2" "$o3" "$ROOT/artifacts/bench.json" <<'P'
import json, statistics as st, sys
rows = [list(map(float, l.split())) for l in open(sys.argv[1])]
result = {"step": [], "journal": json.loads(sys.argv[2]), "overhead": [json.loads(a) for a in sys.argv[3:6]]}
print(f"{'threads':>7} {'danas':>9} {'pytorch channels-last':>22} {'pytorch default':>16} {'ratio same layout':>18} {'ratio best layout':>18}   (images/s, medians)")
for t in sorted({r[0] for r in rows}):
    mine = [r for r in rows if r[0] == t]
    same, best = st.median(r[1] / r[2] for r in mine), st.median(r[1] / max(r[2], r[3]) for r in mine)
    a, b, c = (st.median(r[i] for r in mine) for i in (1, 2, 3))
    print(f"{t:7.0f} {a:9.0f} {b:22.0f} {c:16.0f} {same:18.2f} {best:18.2f}")
    result["step"].append({"threads": t, "danas": a, "pytorchChannelsLast": b, "pytorchDefault": c, "ratioSameLayout": same, "ratioBestLayout": best, "pairs": len(mine)})
j = result["journal"]
print(f"journal: {j['singlePerSecond']:.0f} events/s one by one, {j['batchedPerSecond']:.0f} in batches of 100, {j['replayPerSecond']:.0f} replayed")
for host, r in j["hosts"].items():
    print(f"one actor on the {host} host: {r['singlePerSecond']:.0f} events/s one by one, {r['batchedPerSecond']:.0f} in batches of 100, {r['recoveredPerSecond']:.0f} recovered")
for o in result["overhead"]:
    print(f"orchestration: {o['millisecondsPerUnit']:.2f} ms per unit over {o['units']} units")
print(f"ratio of overhead, most units to fewest: {result['overhead'][2]['millisecondsPerUnit'] / result['overhead'][0]['millisecondsPerUnit']:.2f}")
json.dump(result, open(sys.argv[6], "w"), indent=1)
P
"$DANAS_BIN" bench blobs
say "JSON: artifacts/bench.json"
