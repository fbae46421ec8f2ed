#!/usr/bin/env bash
# Makes build/venv with the Python packages that some tests compare with (tests/requirements.txt).
set -euo pipefail
cd "$(dirname "$0")/.."
stamp=build/venv/.requirements
cmp -s tests/requirements.txt "$stamp" && exit 0
python3 -m venv build/venv
build/venv/bin/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
cp tests/requirements.txt "$stamp"
