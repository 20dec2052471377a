#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# By mouse and keyboard, what session.sh leaves out: the motion library, rows of prompts, gaps, references, presets, and
# ranges and parts of the body made anew. In Blender's window with the real backend; pictures of the screen in OUTDIR.
#   bash tests/gui/panels.sh OUTDIR
set -euo pipefail
outdir=$(realpath -m "${1:?usage: panels.sh OUTDIR}")
. "$(dirname "$0")/common.sh"
prepare
window 1280x1300 panels "$outdir" "$PWD/$zip" "$PWD/.venv/bin/python"
