# SPDX-License-Identifier: GPL-3.0-or-later
"""Text-motion evaluators, which judge models: Guo et al.'s from their published files, and ours."""
