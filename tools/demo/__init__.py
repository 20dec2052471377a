# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: what `command` starts in order: `animate` (Blender), `film` (Blender), `contact_sheet` (the backend's Python)."""
