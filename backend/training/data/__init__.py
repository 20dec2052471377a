# SPDX-License-Identifier: GPL-3.0-or-later
"""From BVH files and labels to captioned windows on the canonical skeleton.

sources -> canonical -> windows -> augment -> captions -> prepare (one file for the trainer).
"""
