# SPDX-License-Identifier: GPL-3.0-or-later
"""Measurements on this machine: the sampler, a large library, the start of the process, what fast takes cost."""
