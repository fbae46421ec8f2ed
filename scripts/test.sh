#!/usr/bin/env bash
# Builds and runs the tests.
#   scripts/test.sh [--yes]         everything: release build, both real models, sanitizers, fuzzing, style checks
#   scripts/test.sh --fast          the daily one: release build and its tests, style checks
# Installs what is missing (asks first; --yes agrees). The last line is `N passed, N failed, N skipped`.
set -uo pipefail
cd "$(dirname "$0")/.."

fast=0
agree=()
for arg in "$@"; do
  case "$arg" in
    --fast) fast=1 ;;
    --yes) agree=(--yes) ;;
    *) sed -n '2,5p' "$0"; exit 2 ;;
  esac
done

scripts/install-deps.sh --tests "${agree[@]}" || exit 1

results=$PWD/build/results
rm -rf "$results"
mkdir -p "$results"
checks=$results/checks.tsv
touch "$checks"
jobs=$(nproc)
fuzz_seconds=${ROCMFORGE_FUZZ_SECONDS:-60}

# check NAME COMMAND...: one check that is no GoogleTest case. Its output is shown only when it fails.
check() {
  local name=$1 log=$results/check.$BASHPID.log
  shift
  local start=$SECONDS
  if "$@" >"$log" 2>&1; then
    printf 'pass\t%s\t\n' "$name" >>"$checks"
    echo "ok      $name ($((SECONDS - start)) s)"
  else
    printf 'fail\t%s\t%s\n' "$name" "$(tail -n 1 "$log" | tr '\t' ' ')" >>"$checks"
    echo "FAILED  $name"
    tail -n 60 "$log"
    return 1
  fi
}

skip() { printf 'skip\t%s\t%s\n' "$1" "$2" >>"$checks"; echo "skipped $1: $2"; }

build() {  # PRESET [cmake options] -- [targets]
  local preset=$1 options=() targets=()
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do options+=("$1"); shift; done
  [ $# -gt 0 ] && shift
  for target in "$@"; do targets+=(--target "$target"); done
  scripts/configure.sh "$preset" -DRF_WERROR=ON "${options[@]}" && cmake --build "build/$preset" -j "$jobs" "${targets[@]}"
}

# run_tests PRESET [ctest options]: runs the GoogleTest programs and keeps their XML for the count. A program that fails without
# leaving a failing case (a crash, a sanitizer report) counts as one failure.
run_tests() {
  local preset=$1
  shift
  local xml=build/$preset/test-results
  rm -rf "$xml"
  if ! ctest --test-dir "build/$preset" -j "$jobs" --no-tests=error --output-on-failure "$@"; then
    grep -qs '<failure' "$xml"/*.xml || printf 'fail\t%s tests\ta test program ended abnormally\n' "$preset" >>"$checks"
  fi
  mkdir -p "$results/$preset"
  [ -d "$xml" ] && cp -r "$xml" "$results/$preset/"
}

fuzz() {  # FUZZER
  local name=${1##*/rf_fuzz_}
  local corpus=build/asan/corpus/$name
  mkdir -p "$corpus"
  check "fuzz $name ${fuzz_seconds} s" "$1" -max_total_time="$fuzz_seconds" -timeout=10 -rss_limit_mb=1024 \
    -print_final_stats=1 "$corpus" "tests/fuzz/corpus/$name"
}

# The kernels for AMD GPUs, as their compiler sees them: there need be no such GPU.
check_amd() {
  local log=$results/amd-compiler.log
  if scripts/install-amd-compiler.sh --yes >"$log" 2>&1; then
    check "the check of AMD kernels finds what is wrong" python3 tests/tools/amd_resources_test.py
    check "AMD kernels" scripts/check-amd.sh
    check "the module for AMD GPUs links and opens" scripts/check-amd-module.sh build/release/rocmforge "$models/smollm2.gguf"
  else
    skip "AMD kernels" "their compiler cannot be installed: $(tail -n 1 "$log")"
  fi
}

# The kernels for 64-bit Arm, compiled here and run under qemu: each set, then on a processor that has neither dot products nor half-precision
# arithmetic. Sets of the other family of processors do not exist there, so nothing is skipped but what that processor lacks.
check_aarch64() {
  check "aarch64 build" build aarch64 -DRF_BUILD_TESTS=ON -- rf_cpu_test rf_conformance_test || return
  check "no code shared between instruction sets of Arm" python3 tools/isa_symbols.py build/aarch64
  run_neon conformance max '*_neon:*_neon_dotprod:*SpecialValues*neon*'
  run_neon conformance cortex-a53 'MatchesReference.*_neon'
  run_neon cpu max '*MathsTest*neon*:SelectIsa*:CpuDevice*'
}

run_neon() {  # TEST PROCESSOR FILTER: in two shards
  local program shard
  program=$(find build/aarch64 -name "rf_$1_test" -type f)
  for shard in 0 1; do
    check "$1 on NEON ($2, shard $shard)" env ROCMFORGE_CONFORMANCE=tiny ROCMFORGE_MATHS=sparse GTEST_TOTAL_SHARDS=2 GTEST_SHARD_INDEX="$shard" \
      qemu-aarch64 -cpu "$2" -L /usr/aarch64-linux-gnu "$program" --gtest_filter="$3" --gtest_brief=1 \
      --gtest_output="xml:$results/aarch64/test-results/$1-$2-$shard.xml" &
  done
  wait
}

# Every copy and every wait names its stream.
no_device_wide_waiting() {
  ! grep -rnE '(hip|cuda)(DeviceSynchronize|Memcpy|Memset|MemcpyToSymbol)\(' src/hip
}

finish() { python3 tools/test_summary.py "$results"; exit; }

# Style first: it is quick.
check "include levels" python3 tools/layers.py
check "sizes" python3 tools/sizes.py
check "nothing waits for a whole GPU" no_device_wide_waiting
check "predictions follow from their inputs" python3 tools/predict_amd.py --check
check "format" scripts/format.sh --check

# With the tests by name: quickstart.sh leaves a build folder without them.
check "release build" build release -DRF_BUILD_TESTS=ON || finish
check "no code shared between instruction sets" python3 tools/isa_symbols.py build/release

# The models that the end-to-end tests run: our own pull fetches and caches them.
models=${ROCMFORGE_TEST_MODELS:-$PWD/build/models}
export ROCMFORGE_TEST_MODELS=$models
mkdir -p "$models"
for model in smollm2 gemma3; do
  check "pull $model" build/release/rocmforge pull "$model" || finish
  ln -sf "$(build/release/rocmforge models --path "$model")" "$models/$model.gguf"
done

check "Python test packages" scripts/python-env.sh || finish
export PATH=$PWD/build/venv/bin:$PATH

run_tests release

if [ $fast = 0 ]; then
  if check "asan build" build asan -- rf_tests rf_fuzzers; then
    run_tests asan -LE "slow|python"
    for fuzzer in build/asan/fuzzers/rf_fuzz_*; do  # as many at a time as there are cores
      while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
      fuzz "$fuzzer" &
    done
    wait
  fi
  tsan_targets="rf_base_test rf_engine_test rf_server_test"
  # shellcheck disable=SC2086
  check "tsan build" build tsan -- $tsan_targets && run_tests tsan -R '^(base|engine|server)$'
  check "clang-tidy" scripts/tidy.sh
  check_aarch64
  check_amd
fi
finish
