#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A user's session in Blender's window with the real backend; leaves pictures of the screen in OUTDIR.
#   bash tests/gui/session.sh OUTDIR
# docs/images/sidebar.png is the left of its sidebar.png; docs/images/demo.png is the contact sheet of `build.py demo`.
set -euo pipefail
outdir=$(realpath -m "${1:?usage: session.sh OUTDIR}")
. "$(dirname "$0")/common.sh"
prepare
blender --python-exit-code 1 --python tests/gui/install.py -- "$PWD/$zip"
window 1280x1300 session "$outdir" "$PWD/$zip" "$PWD/.venv/bin/python"
