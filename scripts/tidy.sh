#!/usr/bin/env bash
# Runs clang-tidy with .clang-tidy, as the fuzz preset (Clang's) compiles the sources.
#   scripts/tidy.sh [files...]     default: all of src/ but the tests, in batches: headers are read once for each batch
# Prints the findings only, each once. clang-tidy's count of warnings in system headers says nothing and would bury them.
set -euo pipefail
cd "$(dirname "$0")/.."
database=build/tidy
tidy=$(command -v clang-tidy-14 || command -v clang-tidy)
configure() { cmake --preset fuzz -B "$database" -DCMAKE_UNITY_BUILD="$1" >/dev/null; }
files=("$@")
if [ $# -gt 0 ]; then
  configure OFF
else
  configure ON
  mapfile -t files < <(python3 -c 'import json, sys
print(*sorted({entry["file"] for entry in json.load(open(sys.argv[1])) if "/tests/" not in entry["file"]}), sep="\n")' \
    "$database/compile_commands.json")
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" "$tidy" --quiet -p "$database" --warnings-as-errors='*' >"$log" 2>&1 || status=$?
grep -vE '^[0-9]+ warnings? (generated|treated as error)' "$log" || true
{ grep -E '(error|warning): ' "$log" || true; } | sort -u
exit "$status"
