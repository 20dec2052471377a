# SPDX-License-Identifier: GPL-3.0-or-later
"""What commands share: options, the line of progress on a terminal, the frames that Blender watches."""
