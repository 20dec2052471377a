# SPDX-License-Identifier: GPL-3.0-or-later
"""Fault tests: `@pytest.mark.fault("row")` names the row of docs/reliability.md that a test stands for.

`build.py test` runs them with small counts, `build.py test --faults` in full and prints the table.
"""

from __future__ import annotations

import os

import pytest

FULL = os.environ.get("REMODIFFUSE_FAULTS") == "full"


@pytest.fixture(scope="session")
def often():  # noqa: ANN201
    """`often(few, many)`: how many times a fault is tried, in a quick run and in a full one."""
    return lambda few, many: many if FULL else few


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("fault"):
        item.user_properties.append(("fault", mark.args[0]))
