# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of faults and the tests that stand for its rows."""

from __future__ import annotations

from tools import faults


def test_every_row_has_a_test_and_every_fault_test_a_row() -> None:
    assert faults.marked().keys() == set(faults.documented())
