#!/usr/bin/env bash
# Builds librocmforge_hip.so with the compiler of scripts/install-amd-compiler.sh, for one target, and opens it with the program: what the kernels'
# check alone does not show is whether they link, and what the module does with a runtime.
#   scripts/check-amd-module.sh PROGRAM MODEL.gguf
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# = 2 ] || { sed -n 2,4p "$0"; exit 2; }
hipcc=${XDG_CACHE_HOME:-$HOME/.cache}/rocmforge-amd/bin/hipcc
folder=$PWD/build/amd
scripts/configure.sh release -B "$folder" -DRF_WERROR=ON -DRF_GPU=hip -DRF_HIPCC="$hipcc" -DRF_HIP_ARCHS=gfx1100
cmake --build "$folder" -j "$(nproc)" --target rocmforge_hip
"$hipcc" -std=c++20 -shared -fPIC -Wall -Wextra -Werror -Wno-unused-command-line-argument tests/amd/hip_runtime_stub.cc -o "$folder/libamdhip64.so.6"
# Every function of the module's is one of the runtime's or of the system's.
open=$(LD_LIBRARY_PATH=$folder LD_PRELOAD=$folder/libamdhip64.so.6 ldd -r "$folder/librocmforge_hip.so" 2>&1 | grep "undefined symbol" || true)
[ -z "$open" ] || { echo "$open"; exit 1; }
ROCMFORGE_BINARY=$(realpath "$1") ROCMFORGE_TEST_MODEL=$(realpath "$2") ROCMFORGE_GPU_MODULE=$folder/librocmforge_hip.so \
  python3 -m pytest -q -p no:cacheprovider tests/amd
