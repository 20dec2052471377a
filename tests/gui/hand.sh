# SPDX-License-Identifier: GPL-3.0-or-later
# What a user's hand and eye can do; the acts use it. The tool that opens the window has `shot` and `await`.
# Nothing here waits for a fixed time: after every move of the hand Blender has first to take it in.
# shellcheck shell=bash disable=SC2154

# Waits until a Python expression is true in Blender: window.py says with which names.
expect() { rm -f "$IO/met"; printf '%s' "$1" >"$IO/expect"; await "$IO/met" "${2:-60}"; }
# Until Blender has handled what came before.
settle() { expect True && expect True; }
hover() { xdotool mousemove "$(($1 - 3))" "$2"; settle; xdotool mousemove "$1" "$2"; settle; }
press() { hover "$1" "$2"; xdotool mousedown 1; settle; xdotool mouseup 1; settle; }
# Puts the mouse somewhere and presses keys there, one after the other.
keys() { local key; hover "$1" "$2"; shift 2; for key in "$@"; do xdotool key "$key"; settle; done; }
# Writes into a field; Enter opens it, and the last key leaves it.
field() {
  keys "$1" "$2" Return ctrl+a
  xdotool type --delay 30 -- "$3"
  settle
  xdotool key "${4:-Return}"
  settle
}
# Whether a step had its effect, with a sentence where it had not.
effect() {
  expect "$2" "${3:-60}" && return
  shot failed.png
  echo "Failed: $1. See failed.png. What should be true by then: $2" >&2
  return 1
}
# Panels slide when they open, and clicks meanwhile miss.
glide() { settle; sleep 1; settle; }
