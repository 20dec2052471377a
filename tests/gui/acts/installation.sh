# SPDX-License-Identifier: GPL-3.0-or-later
# The user's hand in installation.py; sourced by the tool that opens the window.
# Places are those of a window of 1360 x 880 pixels. A click that misses is found out by the next `expect`.
# shellcheck shell=bash source=../hand.sh
. tests/gui/hand.sh

# The triangle that opens the add-on's preferences.
press 186 106
sleep 1
shot 01_not_installed.png

# Install in the sidebar; cancelled in the middle; and once more from the preferences.
press 1236 383
expect 'installation.errand and installation.errand.stage == "packages"' 240 || return 1
expect 'installation.errand.factor > 0.3' 240 || return 1
shot 02_installing.png
press 645 495
expect 'not installation.errand and not installation.ready' || return 1
sleep 1
shot 03_cancelled.png
press 338 361
expect 'installation.errand' || return 1
expect 'installation.ready and not installation.errand' 400 || return 1
sleep 1
shot 04_installed.png

# Generate.
press 1236 354
expect 'session.job' 20 || return 1
shot 05_starting.png
expect 'len(settings.takes) == 1 and not session.job' 240 || return 1
sleep 1
shot 06_ready.png

# Generate much, and the backend is killed meanwhile.
field 1228 322 16
expect 'settings.count == 16' 20 || return 1
press 1236 354
expect 'session.job and session.job.stage == "sampling"' 60 || return 1
shot 07_generating.png
expect 'not session.job or os.kill(session.client.pid, 9) is None' || return 1
expect 'session.error and not session.job' || return 1
sleep 1
shot 08_failed.png

# The same request again, by one click.
press 1236 511
expect 'session.job' 20 || return 1
expect 'len(settings.takes) == 17 and not session.job' 240 || return 1
sleep 1
shot 09_tried_again.png

# It hangs in the middle of a request: a restart is offered, and the request made again.
press 1236 354
expect 'session.job and session.job.stage == "sampling"' 60 || return 1
expect 'os.kill(session.client.pid, 19) is None' || return 1
expect 'session.client.quiet_seconds > 21' || return 1
sleep 1
shot 10_hung.png
press 1236 456
expect 'not session.job and not session.client.error' || return 1
sleep 1
shot 11_restarted.png
press 1236 354
expect 'len(settings.takes) == 33 and not session.job' 240 || return 1
sleep 1
shot 12_made_again.png

# Uninstalled; and a folder without the wheels says so.
press 878 361
expect 'not installation.errand and not installation.ready' || return 1
expect 'setattr(preferences, "wheels", "/srv/profile") is None' || return 1
press 338 361
expect 'installation.error' || return 1
sleep 1
shot 13_install_failed.png
