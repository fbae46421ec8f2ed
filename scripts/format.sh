#!/usr/bin/env bash
# Formats the C++ sources in place, or with --check fails on the first file that is not formatted.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=(-i)
[ "${1:-}" = --check ] && mode=(--dry-run --Werror)
format=$(command -v clang-format-14 || command -v clang-format)
git ls-files -z --cached --others --exclude-standard -- "*.cc" "*.h" "*.hip" |
  xargs -0 -n 20 "$format" "${mode[@]}"
