#!/usr/bin/env bash
# Proves an export by programs that are not ours: onnx.checker and PyTorch (Debian's), ONNX Runtime (npm's onnxruntime-node), on test pictures.
#   ./scripts/prove-export.sh ID [danas export options, such as --data FOLDER]     a finished search in DANAS_OUT (default danas-out)
. "$(dirname "$0")/lib.sh"
[ $# -gt 0 ] || die "usage: ./scripts/prove-export.sh ID [options of danas export]"
id="$1"; shift
apt_install python3-torch python3-onnx
command -v node >/dev/null 2>&1 || apt_install nodejs
command -v npm >/dev/null 2>&1 || apt_install npm
bash "$ROOT/scripts/build.sh" src/DaNas.Cli/DaNas.Cli.csproj
node_folder="$ROOT/artifacts/node"; mkdir -p "$node_folder"
[ -d "$node_folder/node_modules/onnxruntime-node" ] || npm install --prefix "$node_folder" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error onnxruntime-node@1.20.1 >&2
to="$(mktemp -d)"; trap 'rm -rf "$to"' EXIT
"$DANAS_BIN" export "$id" --to "$to" --samples 100 "$@" >&2
mv "$to/model.onnx" "$to/plain.onnx"
"$DANAS_BIN" export "$id" --to "$to" --format onnx --fold "$@" >&2
mv "$to/model.onnx" "$to/folded.onnx"; cp "$to/plain.onnx" "$to/model.onnx"
/usr/bin/python3 "$ROOT/scripts/export/compare.py" "$to"
NODE_PATH="$node_folder/node_modules" node "$ROOT/scripts/export/compare.js" "$to" plain.onnx folded.onnx
