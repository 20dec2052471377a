#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Install, generate, kill, generate in Blender's window; leaves a picture of the status line in each state in OUTDIR.
#   bash tests/gui/installation.sh OUTDIR WHEELS
# WHEELS is a folder that pip has filled, see docs/install.md, Without network; it is made where there is none.
# docs/images/install.png shows the status line of 01, 02 (without the log), 06 and 08. BLENDER_GUI names the tool that opens the window.
set -euo pipefail
outdir=$(realpath -m "${1:?usage: installation.sh OUTDIR WHEELS}")
wheels=$(realpath -m "${2:?usage: installation.sh OUTDIR WHEELS}")
cd "$(dirname "$0")/../.."
tool=${BLENDER_GUI:-../shared/tools/blender-gui.sh}
[ -e "$tool" ] || { echo "There is no $tool: name the tool in BLENDER_GUI." >&2; exit 1; }

python3 build.py extension
zip=$(ls -t dist/remodiffuse-*.zip | head -n 1)
if [ ! -d "$wheels" ]; then
  for list in uv cpu; do
    .venv/bin/python -m pip download -q --no-deps --only-binary :all: --require-hashes -d "$wheels.part" \
      -r backend/install/locks/$list.txt
  done
  mv "$wheels.part" "$wheels"
fi
base=$(.venv/bin/python -c 'import sys; print(sys.base_prefix)')
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
export BLENDER_GUI_SIZE=1360x880 BLENDER_GUI_WAIT=${BLENDER_GUI_WAIT:-240}
export BLENDER_GUI_DIR=$PWD BLENDER_GUI_BIND=$base:$wheels BLENDER_GUI_PROFILE=$profile
mkdir -p "$outdir"
BLENDER_GUI_ACT=${BLENDER_GUI_ACT:-tests/gui/installation_act.sh} \
  bash "$tool" gui tests/gui/installation.py "$outdir/99_last.png" -- "$PWD/$zip" "$wheels" "$base/bin/python3"
