# SPDX-License-Identifier: GPL-3.0-or-later
"""What build.py does behind its door. Standard library only, but for the scripts that run inside Blender."""
