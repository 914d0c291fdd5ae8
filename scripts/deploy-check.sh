#!/usr/bin/env bash
# Checks the files in deploy/ with the available tools and reports the missing ones.
. "$(dirname "$0")/lib.sh"
D="$ROOT/deploy"
if command -v systemd-analyze >/dev/null 2>&1; then
  # The units refer to /opt/danas/danas, which is not installed here, so an existing command is substituted for the verification.
  units="$(mktemp -d)"; trap 'rm -rf "$units"' EXIT
  for unit in "$D"/systemd/*.service; do
    sed 's|/opt/danas/danas|/bin/true|; s|^Documentation=.*||' "$unit" > "$units/$(basename "$unit")"
    out="$(systemd-analyze verify --man=no "$units/$(basename "$unit")" 2>&1)" || { printf '%s\n' "$out"; die "$unit is not a valid unit"; }
    if printf '%s' "$out" | grep -q "$(basename "$unit")"; then printf '%s\n' "$out"; die "$unit: see above"; fi
  done
  say "systemd units verified"
else
  say "systemd-analyze was not found: units not verified"
fi
# Runs the Slurm script with mock commands: at SIGTERM, the step must end and the job must be requeued.
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
grep -q -- '--devices 0,1,2,3' "$stand/log" || die "the Slurm script did not pass the GPUs: $(cat "$stand/log")"
grep -q step-ended "$stand/log" || die "the Slurm script left its step running"
grep -q 'scontrol requeue 7' "$stand/log" || die "the Slurm script did not requeue its job: $(cat "$stand/log" "$stand/out")"
rm -rf "$stand"
say "Slurm script: its step ends at SIGTERM and the job is requeued"
for tool in docker kubectl; do command -v "$tool" >/dev/null 2>&1 || say "$tool was not found: its files are only parsed by the tests"; done
