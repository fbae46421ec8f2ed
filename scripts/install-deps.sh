#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that the build needs; with --tests also those of the test suite.
# Says what is missing and asks before it uses root rights; --yes answers for you.
set -euo pipefail

packages=(
  g++ cmake ninja-build ccache pkg-config ca-certificates python3 python3-pip
  libboost-dev libboost-context-dev libssl-dev libcurl4-openssl-dev libzip-dev zipcmp zipmerge ziptool nlohmann-json3-dev
  libcli11-dev libedit-dev libspdlog-dev libfmt-dev libutf8proc-dev libxxhash-dev
)
test_packages=(libgtest-dev libgmock-dev libbenchmark-dev clang clang-format clang-tidy python3-venv binutils git universal-ctags)

yes=0
for arg in "$@"; do
  case "$arg" in
    --yes) yes=1 ;;
    --tests) packages+=("${test_packages[@]}") ;;
    *) echo "usage: $0 [--yes] [--tests]" >&2; exit 2 ;;
  esac
done

command -v dpkg-query >/dev/null || {
  echo "This script knows Debian and Ubuntu only. Install the equivalents of: ${packages[*]}" >&2
  exit 1
}

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

missing=()
for package in "${packages[@]}"; do is_installed "$package" || missing+=("$package"); done
# libFuzzer and the sanitizers' run time have the compiler's version in their package name.
for arg in "$@"; do
  if [ "$arg" = --tests ]; then
    version=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
    runtime=libclang-rt-${version:-14}-dev
    is_installed "$runtime" || missing+=("$runtime")
  fi
done
[ ${#missing[@]} -eq 0 ] && exit 0

sudo=()
[ "$(id -u)" = 0 ] || sudo=(sudo)
echo "These packages are missing: ${missing[*]}" >&2
echo "They would be installed with: ${sudo[*]} apt-get install --no-install-recommends" >&2
if [ $yes = 0 ]; then
  [ -t 0 ] || { echo "Run again with --yes to agree." >&2; exit 1; }
  read -r -p "Install them now? [y/N] " answer
  case "$answer" in y | Y | yes) ;; *) exit 1 ;; esac
fi
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
