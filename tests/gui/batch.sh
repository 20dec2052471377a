#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `blender -b FILE.blend --command remodiffuse PROMPTS.csv` in a whole Blender with the real backend: killed in the
# middle, repeated, checked, repeated once more. Leaves the report and what was said in OUTDIR.
#   bash tests/gui/batch.sh OUTDIR
set -euo pipefail
outdir=$(realpath -m "${1:?usage: batch.sh OUTDIR}")
. "$(dirname "$0")/common.sh"
work=$(mktemp -d)
prepare "$work"
trap 'rm -rf "$work" "$profile"' EXIT
mkdir -p "$outdir"
script=tests/gui/batch.py
batch() { blender "$work/stage.blend" --command remodiffuse "$work/prompts.csv"; }
fail() { echo "FAILED: $*" >&2; exit 1; }

blender --python-exit-code 1 --python $script -- prepare "$PWD/$zip" "$PWD/.venv/bin/python" "$work"
before=$(sha256sum <"$work/stage.blend")

echo "== the first run, killed once it has saved"
setsid bash "$tool" run "$work/stage.blend" --command remodiffuse "$work/prompts.csv" >"$outdir/first.txt" 2>&1 &
first=$!
until [ -e "$work/stage-animated.report.csv" ]; do
  kill -0 $first 2>/dev/null || { cat "$outdir/first.txt"; fail "it ended before it could be killed"; }
  sleep .05
done
kill -9 -- -$first
wait $first 2>/dev/null || true
made=$(blender --python-exit-code 1 --python $script -- count "$work/stage-animated.blend" | sed -n 's/^COUNT //p')
[ "$made" -gt 0 ] && [ "$made" -lt 30 ] || fail "$made rows were saved before the kill"
echo "killed with $made rows saved"

echo "== repeated"
batch >"$outdir/second.txt" 2>&1 || { cat "$outdir/second.txt"; fail "the second run"; }
there=$(grep -c ': there already$' "$outdir/second.txt")
[ "$there" = "$made" ] || fail "$made rows were saved, $there of them were found"
[ "$(grep -c ': done$' "$outdir/second.txt")" = $((30 - made)) ] || fail "the second run did not do the others"
blender --python-exit-code 1 --python $script -- check "$work/stage-animated.blend"

echo "== repeated once more: nothing is left to do"
batch >"$outdir/third.txt" 2>&1 || fail "the third run"
[ "$(grep -c ': there already$' "$outdir/third.txt")" = 30 ] || fail "something was done twice"
blender --python-exit-code 1 --python $script -- check "$work/stage-animated.blend"

[ "$before" = "$(sha256sum <"$work/stage.blend")" ] || fail "the animator's file was changed"
cp "$work/stage-animated.report.csv" "$outdir/report.csv"
echo "killed with $made of 30 rows saved; the second run did $((30 - made)), the third none"
