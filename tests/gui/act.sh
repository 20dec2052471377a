# SPDX-License-Identifier: GPL-3.0-or-later
# The user's hand in session.py; sourced by the tool that opens the window (it has `shot`, `click` and `await`).
# Places are those of a window of 1280 x 1300 pixels. A click that misses is found out by the next `expect`.
# shellcheck shell=bash disable=SC2154

# Waits until a Python expression is true in Blender: session.py says with which names.
expect() { rm -f "$IO/met"; printf '%s' "$1" >"$IO/expect"; await "$IO/met" "${2:-60}"; }
# Puts the mouse somewhere and presses keys there.
keys() { xdotool mousemove "$1" "$2" sleep .5; shift 2; xdotool key "$@" sleep .7; }
# A number: Enter over its field opens it.
number() { keys "$1" "$2" Return ctrl+a; xdotool type --delay 60 -- "$3"; xdotool sleep .3 key Return sleep .7; }

shot 01_open.png
number 905 220 3
expect 'settings.count == 3' || return 1
setfield 840 153 "a person walks forward and waves"
expect 'settings.prompt == "a person walks forward and waves"' || return 1
shot 02_request.png
click 902 253
expect 'session.job or settings.takes' || return 1
shot 03_generating.png
expect 'len(settings.takes) >= 3 and not session.job' 240 || return 1
sleep 1
shot sidebar.png
click 1001 368
expect 'settings.active_take == 1' 20 || return 1
shot 05_flipped.png
click 975 813
expect 'len(settings.choices) == 1' 20 || return 1
shot 06_pinned.png
# Room: Insert is closed, Re-sample opened. Panels slide, and clicks meanwhile miss.
click 808 569
sleep 3
click 818 887
sleep 3
shot 07_resample.png
click 902 1086
expect 'len(settings.takes) == 6 and not session.job' 240 || return 1
sleep 3
shot 08_resampled.png
xdotool mousemove 800 520 sleep 1
click 843 534
expect 'hero.animation_data.action and not hero.animation_data.action.name.startswith("Preview")' 40 || return 1
sleep 1
shot 09_accepted.png
keys 400 1000 ctrl+z
expect 'not any(each.accepted for each in settings.takes)' 40 || return 1
shot 10_undone.png
keys 400 1000 ctrl+shift+z
expect 'any(each.accepted for each in settings.takes)' 40 || return 1
shot 11_redone.png
keys 400 1000 ctrl+s
expect 'not bpy.data.is_dirty' 40 || return 1
shot 12_saved.png
