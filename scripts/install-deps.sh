#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that the build needs; with --tests also those of the test suite.
# Says what is missing and asks before it uses root rights; --yes answers for you.
set -euo pipefail

packages=(
  g++ cmake ninja-build ccache pkg-config ca-certificates python3 python3-pip
  libssl-dev libcurl4-openssl-dev libzip-dev nlohmann-json3-dev
  libcli11-dev libedit-dev libspdlog-dev libfmt-dev libutf8proc-dev libxxhash-dev
)
test_packages=(libgtest-dev libgmock-dev libbenchmark-dev clang clang-format clang-tidy python3-venv binutils git universal-ctags
  g++-aarch64-linux-gnu qemu-user)

yes=0 tests=0
for arg in "$@"; do
  case "$arg" in
    --yes) yes=1 ;;
    --tests) tests=1; packages+=("${test_packages[@]}") ;;
    *) echo "usage: $0 [--yes] [--tests]" >&2; exit 2 ;;
  esac
done

command -v dpkg-query >/dev/null || {
  echo "This script knows Debian and Ubuntu only. Install the equivalents of: ${packages[*]}, and Boost 1.81 or later" >&2
  exit 1
}

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Boost with coroutines in Beast: 1.81 or later. Debian 12 has it under its version's name.
has_boost() { awk '$2 == "BOOST_VERSION" { found = $3 >= 108100 } END { exit !found }' /usr/include/boost/version.hpp 2>/dev/null; }
boost_package() { if apt-cache show libboost1.81-dev >/dev/null 2>&1; then echo libboost1.81-dev; else echo libboost-dev; fi; }

# libFuzzer and the sanitizers' run time, whose package carries the compiler's version.
has_clang_runtime() { compgen -G '/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a' >/dev/null; }
clang_runtime_package() { apt-cache depends clang | sed -n 's/.*Depends: clang-\([0-9]*\)$/libclang-rt-\1-dev/p' | head -n 1; }

missing=()
for package in "${packages[@]}"; do is_installed "$package" || missing+=("$package"); done
# Fibers for the tests' block emulator. Its version must be that of the headers.
has_boost_context() { compgen -G '/usr/lib/*/libboost_context.a' >/dev/null; }
boost_context_package() { boost_package | sed 's/libboost/libboost-context/'; }

need_boost=0 need_context=0 need_runtime=0
has_boost || need_boost=1
[ $tests = 0 ] || has_boost_context || need_context=1
[ $tests = 0 ] || has_clang_runtime || need_runtime=1
[ ${#missing[@]} -gt 0 ] || [ $need_boost = 1 ] || [ $need_context = 1 ] || [ $need_runtime = 1 ] || exit 0

sudo=()
[ "$(id -u)" = 0 ] || sudo=(sudo)
wanted="${missing[*]}"
[ $need_boost = 0 ] || wanted+=" Boost >= 1.81 (headers)"
[ $need_context = 0 ] || wanted+=" Boost.Context"
[ $need_runtime = 0 ] || wanted+=" clang's run-time library"
echo "These packages are missing: $wanted" >&2
echo "They would be installed with: ${sudo[*]} apt-get install --no-install-recommends" >&2
if [ $yes = 0 ]; then
  [ -t 0 ] || { echo "Run again with --yes to agree." >&2; exit 1; }
  read -r -p "Install them now? [y/N] " answer
  case "$answer" in y | Y | yes) ;; *) exit 1 ;; esac
fi
"${sudo[@]}" apt-get update -qq
[ $need_boost = 0 ] || missing+=("$(boost_package)")
[ $need_context = 0 ] || missing+=("$(boost_context_package)")
[ $need_runtime = 0 ] || missing+=("$(clang_runtime_package)")
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
