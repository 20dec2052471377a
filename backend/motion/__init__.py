# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion maths in plain numpy: skeleton, features, rotations, contacts, BVH. No torch, no bpy."""
