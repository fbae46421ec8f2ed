#!/usr/bin/env bash
# Runs clang-tidy with .clang-tidy over the sources of the fuzz preset's compile commands (they are Clang's).
#   scripts/tidy.sh [files...]     default: all of src/ that this preset compiles
# Prints the findings only, each once. clang-tidy's count of warnings in system headers says nothing and would bury them.
set -euo pipefail
cd "$(dirname "$0")/.."
database=build/fuzz
[ -f "$database/compile_commands.json" ] || database=build/release
tidy=$(command -v clang-tidy-14 || command -v clang-tidy)
is_compiled() { grep -qF "\"file\": \"$PWD/$1\"" "$database/compile_commands.json"; }
files=("$@")
if [ $# = 0 ]; then
  while read -r file; do is_compiled "$file" && files+=("$file"); done < <(git ls-files 'src/*.cc' | grep -v _test.cc)
  [ ${#files[@]} -gt 0 ] || { echo "$database/compile_commands.json names no file of $PWD/src" >&2; exit 1; }
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
printf '%s\0' "${files[@]}" | xargs -0 -n 4 -P "$(nproc)" "$tidy" --quiet -p "$database" --warnings-as-errors='*' >"$log" 2>&1 || status=$?
grep -vE '^[0-9]+ warnings? (generated|treated as error)' "$log" || true
{ grep -E '(error|warning): ' "$log" || true; } | sort -u
exit "$status"
