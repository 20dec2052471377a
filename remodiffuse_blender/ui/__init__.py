# SPDX-License-Identifier: GPL-3.0-or-later
"""Panels and lists: they draw and decide nothing."""
