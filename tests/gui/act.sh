# SPDX-License-Identifier: GPL-3.0-or-later
# The user's hand in session.py; sourced by the tool that opens the window (it has `shot` and `await`).
# shellcheck shell=bash disable=SC2154
shot request.png
touch "$IO/generate"
await "$IO/sampling" 240 || return 1
sleep 0.3
shot generating.png
await "$IO/takes" 240 || return 1
sleep 1
shot takes.png
touch "$IO/accept"
await "$IO/accepted" 120 || return 1
sleep 3
