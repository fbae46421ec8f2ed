#!/usr/bin/env bash
# Configures build/PRESET.
#   scripts/configure.sh PRESET [cmake options]
# A new build folder compiles its sources in batches, which halves the time of a whole build. One that is there already keeps what it has:
# who changes sources all day configures with -DCMAKE_UNITY_BUILD=OFF once.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
options=()
[ -f "build/$preset/CMakeCache.txt" ] || options=(-DCMAKE_UNITY_BUILD=ON)
exec cmake --preset "$preset" "${options[@]}" "$@"
