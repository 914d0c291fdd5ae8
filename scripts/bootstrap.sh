#!/usr/bin/env bash
# Finds or installs what the product stands on, chooses the package world, and compiles the native shims.
#   DANAS_LIBTORCH=DIR   a libtorch of your own (DIR/include, DIR/lib), CPU or CUDA; default: Debian's libtorch-dev
#   DANAS_TORCH=native|torchsharp|torchsharp-cuda   overrides the choice of the training library, which is otherwise probed
#   DANAS_STACK=akka|embedded       overrides the choice of what runs the actors, which is otherwise probed
. "$(dirname "$0")/lib.sh"
need_dotnet
mkdir -p "$ROOT/artifacts/native"

version_of() { # PACKAGE: as it is pinned
  local version
  version=$(sed -n "s/.*PackageVersion Include=\"$1\" Version=\"\([^\"]*\)\".*/\1/p" "$ROOT/Directory.Packages.props")
  case "$version" in
    '$('*) local name="${version#??}"; name="${name%?}"; version="${!name:-$(sed -n "s/.*<$name [^>]*>\([^<]*\)<.*/\1/p" "$ROOT/Directory.Packages.props")}" ;;
  esac
  printf '%s' "$version"
}

restores() { # PACKAGE...: whether the pinned versions restore, together, from the sources that this machine has
  local probe="$ROOT/artifacts/probe" package
  mkdir -p "$probe"
  {
    printf '<Project Sdk="Microsoft.NET.Sdk">\n  <PropertyGroup><TargetFramework>net10.0</TargetFramework><ManagePackageVersionsCentrally>false</ManagePackageVersionsCentrally><RestorePackagesWithLockFile>false</RestorePackagesWithLockFile></PropertyGroup>\n  <ItemGroup>\n'
    for package in "$@"; do printf '    <PackageReference Include="%s" Version="%s" />\n' "$package" "$(version_of "$package")"; done
    printf '  </ItemGroup>\n</Project>\n'
  } > "$probe/probe.csproj"
  timeout "${PATIENCE:-60}" dotnet restore "$probe/probe.csproj" -v q >/dev/null 2>&1
}

WORLD="$ROOT/artifacts/world.props"
stored() { sed -n "s/.*<$1 [^>]*>\([^<]*\)<.*/\1/p" "$WORLD" 2>/dev/null || true; } # PROPERTY: what was chosen before
case "${DANAS_TORCH:-native}" in native | torchsharp | torchsharp-cuda) ;; *) die "DANAS_TORCH=$DANAS_TORCH: write native, torchsharp or torchsharp-cuda" ;; esac
if [ -n "${DANAS_LIBTORCH:-}" ]; then
  # A libtorch of one's own is what the native binding is for; TorchSharp brings another.
  DANAS_TORCH="${DANAS_TORCH:-native}"
  [ "$DANAS_TORCH" = native ] || die "DANAS_LIBTORCH=$DANAS_LIBTORCH with DANAS_TORCH=$DANAS_TORCH: TorchSharp brings its own libtorch; unset one of them"
fi
case "${DANAS_STACK:-embedded}" in akka | embedded) ;; *) die "DANAS_STACK=$DANAS_STACK: write akka or embedded" ;; esac
torch="${DANAS_TORCH:-$(stored DanasTorch)}"
host="${DANAS_STACK:-$(stored DanasHost)}"
if [ -z "$torch" ] || [ -z "$host" ] || [ -n "${DANAS_TORCH:-}${DANAS_STACK:-}" ]; then
  if [ -z "$torch" ]; then
    # The library first, it is small; with it comes libtorch, some hundred megabytes, with CUDA some thousand.
    torch=native torch_why="TorchSharp does not restore from the NuGet sources here"
    if restores TorchSharp; then
      if [ -e /proc/driver/nvidia/version ] && say "fetching libtorch with CUDA for TorchSharp (some GB)" && PATIENCE=3600 restores TorchSharp TorchSharp-cuda-linux; then
        torch=torchsharp-cuda torch_why="TorchSharp-cuda-linux restores here, and there is an NVIDIA driver; DANAS_TORCH=native leaves it out"
      elif say "fetching libtorch for TorchSharp" && PATIENCE=1200 restores TorchSharp TorchSharp-cpu; then
        torch=torchsharp torch_why="TorchSharp restores here; DANAS_TORCH=native leaves it out"
      else
        torch_why="TorchSharp restores here, but not the libtorch that belongs to it; DANAS_TORCH=torchsharp tries again"
      fi
    fi
  elif [ "${DANAS_TORCH:-native}" != native ]; then
    PATIENCE=3600 restores TorchSharp "TorchSharp-$(case $DANAS_TORCH in torchsharp) echo cpu ;; *) echo cuda-linux ;; esac)" || die "DANAS_TORCH=$DANAS_TORCH: TorchSharp does not restore from the NuGet sources here (dotnet nuget list source)"
  fi
  if [ -z "$host" ]; then
    if restores Akka Akka.Cluster Akka.Cluster.Tools Akka.Persistence Akka.Persistence.Sql; then host=akka; host_why="Akka.NET and Akka.Persistence.Sql restore here; DANAS_STACK=embedded leaves them out"
    else host=embedded; host_why="Akka.NET does not restore from the NuGet sources here"; fi
  elif [ "${DANAS_STACK:-}" = akka ]; then
    restores Akka Akka.Cluster Akka.Cluster.Tools Akka.Persistence Akka.Persistence.Sql || die "DANAS_STACK=akka: Akka.NET does not restore from the NuGet sources here (dotnet nuget list source)"
  fi
  cat > "$WORLD" <<P
<Project>
  <PropertyGroup>
    <DanasTorch Condition="'\$(DanasTorch)' == ''">$torch</DanasTorch>
    <DanasHost Condition="'\$(DanasHost)' == ''">$host</DanasHost>
  </PropertyGroup>
</Project>
P
  say "torch: $torch (${torch_why:-as chosen})"
  say "actors: $host (${host_why:-as chosen})"
fi

apt_install g++ libturbojpeg0-dev libpng-dev libjs-chart.js
compile() { # OUTPUT SOURCE FLAGS...
  local output="$1" source="$2"; shift 2
  local key; key="$(cat "$source" | sha256sum | cut -c1-16) $*"
  if [ -f "$output" ] && [ "$(cat "$output.key" 2>/dev/null)" = "$key" ]; then return 0; fi
  say "compiling $(basename "$output")"
  g++ -std=c++17 -O2 -fPIC -shared -Wno-psabi -o "$output.part" "$source" "$@"
  mv "$output.part" "$output"
  printf '%s' "$key" > "$output.key"
}
compile "$ROOT/artifacts/native/libdanas_image.so" "$ROOT/src/DaNas.Torch/native/danas_image.cpp" -lturbojpeg -lpng
[ "$torch" = native ] || exit 0 # TorchSharp brings its own libtorch.

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
abi=()
[ -n "$TORCH_DIR" ] && [ -n "${DANAS_CXX11_ABI:-}" ] && abi=("-D_GLIBCXX_USE_CXX11_ABI=$DANAS_CXX11_ABI")
cuda=()
[ -n "$TORCH_DIR" ] && [ -f "$TORCH_DIR/lib/libtorch_cuda.so" ] && cuda=(-ltorch_cuda -lc10_cuda)
compile "$ROOT/artifacts/native/libdanas_torch.so" "$ROOT/src/DaNas.LibTorch/native/danas_torch.cpp" \
  "${includes[@]}" "${abi[@]}" "${libs[@]}" -Wl,--no-as-needed -ltorch -ltorch_cpu -lc10 "${cuda[@]}"
