#!/usr/bin/env bash
# Finds or installs what the product stands on, chooses the package world, and compiles the native shims.
#   DANAS_LIBTORCH=DIR   a libtorch of your own (DIR/include, DIR/lib), CPU or CUDA; default: Debian's libtorch-dev
#   DANAS_TORCH=native|torchsharp   overrides the choice that is otherwise probed
. "$(dirname "$0")/lib.sh"
need_dotnet
mkdir -p "$ROOT/artifacts/native"

choose_torch() {
  [ -n "${DANAS_TORCH:-}" ] && { printf '%s' "$DANAS_TORCH"; return; }
  local probe="$ROOT/artifacts/probe"
  mkdir -p "$probe"
  cat > "$probe/probe.csproj" <<'P'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework><ManagePackageVersionsCentrally>false</ManagePackageVersionsCentrally><RestorePackagesWithLockFile>false</RestorePackagesWithLockFile></PropertyGroup>
  <ItemGroup><PackageReference Include="TorchSharp" Version="0.106.0" /></ItemGroup>
</Project>
P
  if timeout 60 dotnet restore "$probe/probe.csproj" -v q >/dev/null 2>&1; then printf 'torchsharp'; else printf 'native'; fi
}

WORLD="$ROOT/artifacts/world.props"
if [ ! -f "$WORLD" ] || [ -n "${DANAS_TORCH:-}" ]; then
  # TorchSharp is compiled against but not the default yet: the native binding is what this version is measured with.
  found=$(choose_torch)
  choice=native
  [ -n "${DANAS_TORCH:-}" ] && choice="$DANAS_TORCH"
  printf '<Project>\n  <PropertyGroup>\n    <DanasTorch Condition="%s">%s</DanasTorch>\n  </PropertyGroup>\n</Project>\n' "'\$(DanasTorch)' == ''" "$choice" > "$WORLD"
  say "torch: $choice (TorchSharp $([ "$found" = torchsharp ] && echo 'restores here; -p:DanasTorch=torchsharp builds on it' || echo 'does not restore from the NuGet sources here'))"
  say "actors: embedded host"
fi

apt_install g++ libturbojpeg0-dev libpng-dev libjs-chart.js
TORCH_DIR="${DANAS_LIBTORCH:-}"
if [ -z "$TORCH_DIR" ]; then
  apt_install libtorch-dev
  includes=(-I/usr/include -I/usr/include/torch/csrc/api/include)
  libs=()
else
  [ -f "$TORCH_DIR/include/ATen/ATen.h" ] || die "$TORCH_DIR holds no libtorch (include/ATen/ATen.h is missing); set DANAS_LIBTORCH to the folder with include and lib"
  includes=("-I$TORCH_DIR/include" "-I$TORCH_DIR/include/torch/csrc/api/include")
  libs=("-L$TORCH_DIR/lib" "-Wl,-rpath,$TORCH_DIR/lib")
fi

compile() { # OUTPUT SOURCE FLAGS...
  local output="$1" source="$2"; shift 2
  local key; key="$(cat "$source" | sha256sum | cut -c1-16) $*"
  if [ -f "$output" ] && [ "$(cat "$output.key" 2>/dev/null)" = "$key" ]; then return 0; fi
  say "compiling $(basename "$output")"
  g++ -std=c++17 -O2 -fPIC -shared -Wno-psabi -o "$output.part" "$source" "$@"
  mv "$output.part" "$output"
  printf '%s' "$key" > "$output.key"
}
abi=()
[ -n "$TORCH_DIR" ] && [ -n "${DANAS_CXX11_ABI:-}" ] && abi=("-D_GLIBCXX_USE_CXX11_ABI=$DANAS_CXX11_ABI")
cuda=()
[ -n "$TORCH_DIR" ] && [ -f "$TORCH_DIR/lib/libtorch_cuda.so" ] && cuda=(-ltorch_cuda -lc10_cuda)
std=()
grep -q 'C++17\|C++20' "${TORCH_DIR:-/usr}/include/ATen/ATen.h" 2>/dev/null || true
compile "$ROOT/artifacts/native/libdanas_torch.so" "$ROOT/src/DaNas.LibTorch/native/danas_torch.cpp" \
  "${includes[@]}" "${abi[@]}" "${std[@]}" "${libs[@]}" -Wl,--no-as-needed -ltorch -ltorch_cpu -lc10 "${cuda[@]}"
compile "$ROOT/artifacts/native/libdanas_image.so" "$ROOT/src/DaNas.Torch/native/danas_image.cpp" -lturbojpeg -lpng
