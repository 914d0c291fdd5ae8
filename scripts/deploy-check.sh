#!/usr/bin/env bash
# Checks the files in deploy/ with the tools that are there, and says which are not.
. "$(dirname "$0")/lib.sh"
D="$ROOT/deploy"
if command -v systemd-analyze >/dev/null 2>&1; then
  # The units name /opt/danas/danas, which is not installed here: verified with a command that is.
  units="$(mktemp -d)"; trap 'rm -rf "$units"' EXIT
  for unit in "$D"/systemd/*.service; do
    sed 's|/opt/danas/danas|/bin/true|; s|^Documentation=.*||' "$unit" > "$units/$(basename "$unit")"
    out="$(systemd-analyze verify --man=no "$units/$(basename "$unit")" 2>&1)" || { printf '%s\n' "$out"; die "$unit is not a proper unit"; }
    if printf '%s' "$out" | grep -q "$(basename "$unit")"; then printf '%s\n' "$out"; die "$unit: see above"; fi
  done
  say "systemd units verified"
else
  say "systemd-analyze is not here: units not verified"
fi
# The Slurm script against stand-ins: at SIGTERM the step ends and the job is queued again.
stand="$(mktemp -d)"
cat > "$stand/srun" <<'S'
#!/usr/bin/env bash
trap 'echo step-ended >> "$STAND/log"; exit 0' TERM
echo "step-started $*" >> "$STAND/log"
while :; do sleep 0.1; done
S
printf '#!/usr/bin/env bash\necho "scontrol $*" >> "$STAND/log"\n' > "$stand/scontrol"
chmod +x "$stand/srun" "$stand/scontrol"
STAND="$stand" PATH="$stand:$PATH" SLURM_JOB_ID=7 SLURM_GPUS_ON_NODE=4 DANAS_COORDINATORS=c:7411 DANAS_CERTIFICATES=/dev/null bash "$D/slurm/danas-trainers.sbatch" > "$stand/out" 2>&1 &
job=$!
for _ in $(seq 100); do grep -q step-started "$stand/log" 2>/dev/null && break; sleep 0.1; done
kill -TERM "$job"; wait "$job" || die "the Slurm script ended with status $?: $(cat "$stand/out")"
grep -q -- '--devices 0,1,2,3' "$stand/log" || die "the Slurm script did not name the GPUs: $(cat "$stand/log")"
grep -q step-ended "$stand/log" || die "the Slurm script left its step running"
grep -q 'scontrol requeue 7' "$stand/log" || die "the Slurm script did not queue its job again: $(cat "$stand/log" "$stand/out")"
rm -rf "$stand"
say "Slurm script: its step ends at SIGTERM and the job is queued again"
for tool in docker kubectl; do command -v "$tool" >/dev/null 2>&1 || say "$tool is not here: its files are only read by the tests"; done
