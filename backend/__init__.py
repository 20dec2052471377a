# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend: ReMoDiffuse outside Blender. Never imports bpy."""
