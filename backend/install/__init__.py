# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend install`: an environment of the backend's own, from a hash-locked list. Standard library only.

It runs under whatever Python there is, Blender's as a rule, before anything is installed.
"""
