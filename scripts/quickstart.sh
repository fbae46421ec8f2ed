#!/usr/bin/env bash
# From a fresh clone to an answer: installs what is missing (asks first; --yes agrees), builds, fetches the default model, answers.
#   scripts/quickstart.sh [--yes] ["question"]
set -euo pipefail
cd "$(dirname "$0")/.."

agree=()
question="What is the capital of France?"
for arg in "$@"; do
  case "$arg" in
    --yes) agree=(--yes) ;;
    -h | --help) sed -n '2,3p' "$0"; exit 0 ;;
    -*) echo "unknown option $arg; see $0 --help" >&2; exit 2 ;;
    *) question=$arg ;;
  esac
done

scripts/install-deps.sh "${agree[@]}"
scripts/configure.sh release -DRF_BUILD_TESTS=OFF >/dev/null
echo "Building (a few minutes the first time) ..." >&2
cmake --build build/release --target rocmforge
build/release/rocmforge pull smollm2
echo >&2
exec build/release/rocmforge run smollm2 "$question"
