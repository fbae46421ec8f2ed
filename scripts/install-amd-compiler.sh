#!/usr/bin/env bash
# Installs a compiler for AMD GPUs without ROCm, to check and build the kernels where there is no AMD GPU: Debian's clang 19 with the
# HIP headers and device libraries of Debian 13, unpacked beside it (80 MB to fetch).
#   scripts/install-amd-compiler.sh [--yes] [FOLDER]     default: ~/.cache/rocmforge-amd; FOLDER/bin/hipcc is the compiler
# Those who have ROCm need none of this: its own hipcc serves.
set -euo pipefail

yes=0 folder=${XDG_CACHE_HOME:-$HOME/.cache}/rocmforge-amd
for arg in "$@"; do
  case "$arg" in
    --yes) yes=1 ;;
    -*) sed -n '2,5p' "$0"; exit 2 ;;
    *) folder=$arg ;;
  esac
done
packages=(clang-19 clang-tools-19 lld-19 llvm-19)
missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} = 0 ] && [ -x "$folder/bin/hipcc" ] && "$folder/bin/hipcc" --version >/dev/null 2>&1; then exit 0; fi
sudo=()
[ "$(id -u)" = 0 ] || sudo=(sudo)
if [ ${#missing[@]} -gt 0 ]; then
  echo "These packages are missing: ${missing[*]}" >&2
  if [ $yes = 0 ]; then
    [ -t 0 ] || { echo "Run again with --yes to agree." >&2; exit 1; }
    read -r -p "Install them now? [y/N] " answer
    case "$answer" in y | Y | yes) ;; *) exit 1 ;; esac
  fi
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# A package list of Debian 13 of our own, from the mirror that this machine uses: nothing of it is installed.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Label: Debian' | grep '/debian/\?$' | head -n 1)
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/root"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$work/sources.list"
options=(-qq -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::Lists=$work/lists"
  -o "Dir::Cache::archives=$work/archives" -o "Dir::State::status=/dev/null" -o APT::Sandbox::User=root -o Acquire::Languages=none)
apt-get "${options[@]}" update
(cd "$work" && apt-get "${options[@]}" download rocm-device-libs-17 libamdhip64-dev)
for package in "$work"/*.deb; do dpkg -x "$package" "$work/root"; done

new=$folder.new
rm -rf "$new"
mkdir -p "$new/bin" "$new/include" "$new/share/hip" "$new/amdgcn/bitcode"
cp -r "$work/root/usr/include/." "$new/include/"
cp "$work"/root/usr/lib/llvm-17/lib/clang/17/amdgcn/bitcode/*.bc "$new/amdgcn/bitcode/"
cp "$work/root/usr/share/hip/version" "$new/share/hip/version"
cp "$work/root/usr/share/hip/version" "$new/bin/.hipVersion"
# Those libraries are older than RDNA 4, for which they need one constant of its own.
for target in 1200:12000 1201:12001; do
  llvm-dis-19 "$new/amdgcn/bitcode/oclc_isa_version_1151.bc" -o - | sed "s/i32 11501/i32 ${target#*:}/" |
    llvm-as-19 -o "$new/amdgcn/bitcode/oclc_isa_version_${target%:*}.bc"
done
cat >"$new/bin/hipcc" <<WRAPPER
#!/bin/sh
exec clang++-19 -D__HIP_PLATFORM_AMD__=1 --rocm-path="$folder" --hip-path="$folder" \\
  --rocm-device-lib-path="$folder/amdgcn/bitcode" -I"$folder/include" -mcode-object-version=5 "\$@"
WRAPPER
chmod +x "$new/bin/hipcc"
rm -rf "$folder"
mv "$new" "$folder"
