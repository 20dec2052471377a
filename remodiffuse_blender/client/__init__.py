# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend's process and its messages: start, send, receive, cancel, restart. No bpy but for the one timer."""
