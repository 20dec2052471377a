# SPDX-License-Identifier: GPL-3.0-or-later
"""From raw motion to a trained model: data sets, trainer, evaluation."""
