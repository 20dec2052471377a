# SPDX-License-Identifier: GPL-3.0-or-later
"""Fault tests: `@pytest.mark.fault("row")` names the row of docs/reliability.md that a test stands for.

`build.py test` runs them with small counts, `build.py test --faults` in full, row by row, and prints the table.
"""

from __future__ import annotations

import os

import pytest

FULL = os.environ.get("REMODIFFUSE_FAULTS") == "full"
ROW = os.environ.get("REMODIFFUSE_ROW")


@pytest.fixture(scope="session")
def often():  # noqa: ANN201
    """`often(few, many)`: how many times a fault is tried, in a quick run and in a full one."""
    return lambda few, many: many if FULL else few


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where one row is asked for, the tests of all others are left out."""
    if ROW:
        others = [item for item in items if ROW not in [mark.args[0] for mark in item.iter_markers("fault")]]
        items[:] = [item for item in items if item not in others]
        config.hook.pytest_deselected(items=others)
