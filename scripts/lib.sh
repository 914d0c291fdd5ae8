# Shared by all scripts: source it, do not run it. Scripts never install packages; they report what is missing and exit with code 2.
set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
CONFIGURATION="${CONFIGURATION:-Release}"
DANAS_BIN="$ROOT/artifacts/bin/DaNas.Cli/$(printf %s "$CONFIGURATION" | tr '[:upper:]' '[:lower:]')/danas"

say() { printf '== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 2; }
need() { command -v "$1" >/dev/null 2>&1 || die "$1 is missing: $2"; } # COMMAND WHERE-IT-COMES-FROM
need dotnet 'install the .NET 10 SDK (https://dotnet.microsoft.com/download)'
