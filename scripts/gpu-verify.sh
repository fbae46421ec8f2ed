#!/usr/bin/env bash
# Checks the kernels and whole models on this machine's GPU, without network, in under ten minutes, and writes a log in Markdown.
#   scripts/gpu-verify.sh [--cuda] [--log FILE] [MODEL.gguf ...]
#   --cuda     the kernels by nvcc, on an NVIDIA GPU: to test them; for use there are AMD GPUs
#   --log      default: build/gpu/verification.md
# Models: those named; without any, two that are made of random weights. More options for CMake come from ROCMFORGE_CMAKE_OPTIONS.
# The exit code is 1 if anything failed.
set -euo pipefail
cd "$(dirname "$0")/.."

gpu=hip log=build/gpu/verification.md models=()
while [ $# -gt 0 ]; do
  case "$1" in
    --cuda) gpu=cuda ;;
    --log) log=$2; shift ;;
    -*) sed -n '2,7p' "$0"; exit 2 ;;
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

if [ ${#models[@]} = 0 ]; then
  for mix in q4_k_m q8_0; do
    build/gpu/tests/rf_random_model "build/gpu/random-$mix.gguf" 1b "$mix"
    models+=("build/gpu/random-$mix.gguf")
  done
fi
exec python3 tools/gpu_verify.py --build build/gpu --log "$log" "${models[@]}"
