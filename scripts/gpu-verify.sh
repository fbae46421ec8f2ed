#!/usr/bin/env bash
# Checks the kernels and whole models on this machine's GPU, without network, in under ten minutes, and writes a log in Markdown.
#   scripts/gpu-verify.sh [--cuda] [--sanitize] [--log FILE] [MODEL.gguf ...]
#   --cuda     the kernels by nvcc, on an NVIDIA GPU: to test them; for use there are AMD GPUs
#   --sanitize compute-sanitizer's four tools over the conformance cases, and nothing else (with --cuda)
#   --log      default: build/gpu/verification.md
# Models: those named; without any, smollm2.gguf and gemma3.gguf from build/models, this folder or the model store; where neither is, two
# that are made of random weights. What ten minutes, the build among them, do not suffice for fails by name: call it again.
# More options for CMake come from ROCMFORGE_CMAKE_OPTIONS.
# The exit code is 1 if anything failed.
set -euo pipefail
cd "$(dirname "$0")/.."

gpu=hip log=build/gpu/verification.md models=() flags=()
while [ $# -gt 0 ]; do
  case "$1" in
    --cuda) gpu=cuda ;;
    --sanitize) flags+=(--sanitize) ;;
    --log) log=$2; shift ;;
    -*) sed -n '2,10p' "$0"; exit 2 ;;
    *) models+=("$1") ;;
  esac
  shift
done

read -ra more <<<"${ROCMFORGE_CMAKE_OPTIONS:-}"
mkdir -p build/gpu
{
  cmake --preset release -B build/gpu -DCMAKE_UNITY_BUILD=ON -DRF_GPU=$gpu -DRF_GPU_EMULATION=OFF "${more[@]}" &&
    cmake --build build/gpu --target rocmforge rocmforge_hip rf_hip_test rf_conformance_test rf_gpu_faults_test rf_random_model
} >build/gpu/build.log 2>&1 || { tail -n 30 build/gpu/build.log >&2; echo "the build failed; all of it: build/gpu/build.log" >&2; exit 1; }

store=${ROCMFORGE_CACHE:-${XDG_CACHE_HOME:-${HOME:-}/.cache}/rocmforge}/models
if [ ${#models[@]} = 0 ]; then
  for name in smollm2 gemma3; do
    for folder in build/models . "$store"; do
      if [ -f "$folder/$name.gguf" ]; then models+=("$folder/$name.gguf"); break; fi
    done
  done
fi
if [ ${#models[@]} = 0 ]; then flags+=(--random-models 1b); fi
exec python3 tools/gpu_verify.py --build build/gpu --log "$log" --limit $((590 - SECONDS)) "${flags[@]}" "${models[@]}"
