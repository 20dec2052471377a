# SPDX-License-Identifier: GPL-3.0-or-later
# What the scripts of this folder begin with: the built zip, and the tool that runs a whole Blender.
# shellcheck shell=bash
# BLENDER_GUI names that tool (default ../shared/tools/blender-gui.sh).

# Goes to the checkout and makes the zip. Sets tool, zip, base (the Python below .venv) and profile (Blender's
# preferences, gone at the end); `bound` are more folders that Blender is to see, with ":" between.
prepare() {
  cd "$(dirname "${BASH_SOURCE[0]}")/../.."
  tool=${BLENDER_GUI:-../shared/tools/blender-gui.sh}
  [ -e "$tool" ] || { echo "There is no $tool: name the tool in BLENDER_GUI." >&2; exit 1; }
  python3 build.py extension
  zip=$(ls -t dist/remodiffuse-*.zip | head -n 1)
  base=$(.venv/bin/python -c 'import sys; print(sys.base_prefix)')
  profile=$(mktemp -d)
  trap 'rm -rf "$profile"' EXIT
  export BLENDER_GUI_DIR=$PWD BLENDER_GUI_BIND=$base${1:+:$1} BLENDER_GUI_PROFILE=$profile
  export BLENDER_GUI_WAIT=${BLENDER_GUI_WAIT:-240}
}

# Blender without its window: its arguments.
blender() { bash "$tool" run "$@"; }

# Blender's window, set up by tests/gui/NAME.py with what follows after `--`; tests/gui/acts/NAME.sh is the user's hand.
# Pictures go to OUTDIR.
#   window WIDTHxHEIGHT NAME OUTDIR ARGUMENTS...
window() {
  local size=$1 name=$2 outdir=$3
  shift 3
  mkdir -p "$outdir"
  BLENDER_GUI_SIZE=$size BLENDER_GUI_ACT=${BLENDER_GUI_ACT:-tests/gui/acts/$name.sh} \
    bash "$tool" gui "tests/gui/$name.py" "$outdir/99_last.png" -- "$@" || exit 1
  echo "Every step had its effect. Pictures in $outdir"
}
