#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Install, generate, kill, hang and restart in Blender's window; leaves a picture of the status line in each state in OUTDIR.
#   bash tests/gui/installation.sh OUTDIR WHEELS
# WHEELS is a folder that pip has filled, see docs/install.md, Without network; it is made where there is none.
# docs/images/install.png shows the status line of 01, 02 (without the log), 06 and 08.
set -euo pipefail
usage="usage: installation.sh OUTDIR WHEELS"
outdir=$(realpath -m "${1:?$usage}")
wheels=$(realpath -m "${2:?$usage}")
. "$(dirname "$0")/common.sh"
prepare "$wheels"
if [ ! -d "$wheels" ]; then
  for list in uv cpu; do
    .venv/bin/python -m pip download -q --no-deps --only-binary :all: --require-hashes -d "$wheels.part" \
      -r backend/install/locks/$list.txt
  done
  mv "$wheels.part" "$wheels"
fi
window 1360x880 installation "$outdir" "$PWD/$zip" "$wheels" "$base/bin/python3"
