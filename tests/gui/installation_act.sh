# SPDX-License-Identifier: GPL-3.0-or-later
# The user's hand in installation.py; sourced by the tool that opens the window (it has `shot`, `click` and `await`).
# Places are those of a window of 1360 x 880 pixels. A click that misses is found out by the next `expect`.
# shellcheck shell=bash disable=SC2154

# Waits until a Python expression is true in Blender: installation.py says with which names.
expect() { rm -f "$IO/met"; printf '%s' "$1" >"$IO/expect"; await "$IO/met" "${2:-60}"; }

# A number: Enter over its field opens it.
number() {
  xdotool mousemove "$1" "$2" sleep .5 key Return sleep .7 key ctrl+a sleep .3
  xdotool type --delay 60 -- "$3"; xdotool sleep .3 key Return sleep .7
}

# The triangle that opens the add-on's preferences.
click 186 106
sleep 1
shot 01_not_installed.png

# Install in the sidebar; cancelled in the middle; and once more from the preferences.
click 1236 383
expect 'installation.errand and installation.errand.stage == "packages"' 240 || return 1
expect 'installation.errand.factor > 0.3' 240 || return 1
shot 02_installing.png
click 645 495
expect 'not installation.errand and not installation.ready' || return 1
sleep 1
shot 03_cancelled.png
click 338 361
expect 'installation.errand' || return 1
expect 'installation.ready and not installation.errand' 400 || return 1
sleep 1
shot 04_installed.png

# Generate.
click 1236 354
expect 'session.job' 20 || return 1
shot 05_starting.png
expect 'len(settings.takes) == 1 and not session.job' 240 || return 1
sleep 1
shot 06_ready.png

# Generate much, and the backend is killed meanwhile.
number 1228 322 16
expect 'settings.count == 16' 20 || return 1
click 1236 354
expect 'session.job and session.job.stage == "sampling"' 60 || return 1
shot 07_generating.png
expect 'not session.job or os.kill(session.client.pid, 9) is None' || return 1
expect 'session.error and not session.job' || return 1
sleep 1
shot 08_failed.png

# The same request again, by one click.
click 1236 511
expect 'session.job' 20 || return 1
expect 'len(settings.takes) == 17 and not session.job' 240 || return 1
sleep 1
shot 09_tried_again.png

# Uninstalled; and a folder without the wheels says so.
click 878 361
expect 'not installation.errand and not installation.ready' || return 1
expect 'setattr(preferences, "wheels", "/srv/profile") is None' || return 1
click 338 361
expect 'installation.error' || return 1
sleep 1
shot 10_install_failed.png
