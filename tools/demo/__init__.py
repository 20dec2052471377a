# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo. `command` starts `animate` and `film` in Blender, then `contact_sheet` in the backend's Python."""
