#!/usr/bin/env bash
# Runs clang-tidy with .clang-tidy over the sources of the fuzz preset's compile commands (they are Clang's).
#   scripts/tidy.sh [files...]     default: all of src/
set -euo pipefail
cd "$(dirname "$0")/.."
database=build/fuzz
[ -f "$database/compile_commands.json" ] || database=build/release
tidy=$(command -v clang-tidy-14 || command -v clang-tidy)
if [ $# -gt 0 ]; then files=("$@"); else mapfile -t files < <(git ls-files 'src/*.cc' | grep -v _test.cc); fi
printf '%s\0' "${files[@]}" | xargs -0 -n 4 -P "$(nproc)" "$tidy" --quiet -p "$database" --warnings-as-errors='*'
