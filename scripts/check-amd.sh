#!/usr/bin/env bash
# Compiles every GPU kernel for AMD's targets and checks registers, scratch memory, spills, and that the hot ones have their dot and
# matrix instructions. Needs no GPU and no ROCm.
#   scripts/check-amd.sh [--yes] [--update] [--targets LIST] [--jobs N] [--keep FOLDER]
#     --yes      installs the compiler if it is missing (scripts/install-amd-compiler.sh)
#     --update   writes docs/amd-resources.tsv anew, and what docs/amd-predictions.md takes from it
#     --targets  fewer than all nine, comma between; --keep: leaves the assembly in FOLDER
# $ROCMFORGE_HIPCC names another compiler. Exit code 1: findings; 3: nothing could be checked, the last line says why.
set -euo pipefail
cd "$(dirname "$0")/.."

agree=() options=()
while [ $# -gt 0 ]; do
  case "$1" in
    --yes) agree=(--yes); shift ;;
    --update) options+=("$1"); shift ;;
    --targets | --jobs | --keep) options+=("$1" "${2:?$1 wants a value}"); shift 2 ;;
    *) sed -n '2,8p' "$0"; exit 2 ;;
  esac
done

cannot() { echo "The AMD kernels were not checked: $1."; exit 3; }

cache=${XDG_CACHE_HOME:-$HOME/.cache}/rocmforge-amd
hipcc=${ROCMFORGE_HIPCC:-}
if [ -z "$hipcc" ]; then
  hipcc=$cache/bin/hipcc
  scripts/install-amd-compiler.sh "${agree[@]}" || cannot "there is no compiler, and it could not be installed (scripts/install-amd-compiler.sh)"
fi
"$hipcc" --version >/dev/null 2>&1 || cannot "$hipcc does not run"

generated=build/release/src/ops/generated
[ -d "$generated" ] || scripts/configure.sh release >/dev/null || cannot "build/release cannot be configured"
python3 tools/amd_resources.py --hipcc "$hipcc" --generated "$generated" --cache "$cache-results" "${options[@]}"
[[ " ${options[*]} " != *" --update "* ]] || python3 tools/predict_amd.py --update
