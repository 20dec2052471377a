#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A user's session in Blender's window with the real backend; leaves pictures of the screen in OUTDIR.
#   bash tests/gui/session.sh OUTDIR
# docs/images/sidebar.png is the left of its sidebar.png; docs/images/demo.png is the contact sheet of `build.py demo`.
# BLENDER_GUI names the tool that opens the window (default ../shared/tools/blender-gui.sh).
set -euo pipefail
outdir=$(realpath -m "${1:?usage: session.sh OUTDIR}")
cd "$(dirname "$0")/../.."
tool=${BLENDER_GUI:-../shared/tools/blender-gui.sh}
[ -e "$tool" ] || { echo "There is no $tool: name the tool in BLENDER_GUI." >&2; exit 1; }

python3 build.py extension
zip=$(ls -t dist/remodiffuse-*.zip | head -n 1)
base=$(.venv/bin/python -c 'import sys; print(sys.base_prefix)')
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
export BLENDER_GUI_SIZE=1280x1300
export BLENDER_GUI_DIR=$PWD BLENDER_GUI_BIND=$base BLENDER_GUI_PROFILE=$profile BLENDER_GUI_WAIT=${BLENDER_GUI_WAIT:-240}
mkdir -p "$outdir"

bash "$tool" run --python-exit-code 1 --python tests/gui/install.py -- "$PWD/$zip"
BLENDER_GUI_ACT=${BLENDER_GUI_ACT:-tests/gui/act.sh} \
  bash "$tool" gui tests/gui/session.py "$outdir/99_last.png" -- "$PWD/$zip" "$PWD/.venv/bin/python" || exit 1
echo "Every step had its effect. Pictures in $outdir"
