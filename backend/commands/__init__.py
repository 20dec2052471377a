# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of `python -m backend` for people at a terminal."""
