# SPDX-License-Identifier: GPL-3.0-or-later
"""The error that people see survives the way between processes."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from backend.errors import BackendError


def fail() -> None:
    raise BackendError("no_data", "There is nothing.", "Bring something.")


def test_an_error_in_a_process_of_ours_arrives_with_its_remedy() -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool, pytest.raises(BackendError) as caught:
        pool.submit(fail).result()
    error = caught.value
    assert (error.code, error.message, error.remedy) == ("no_data", "There is nothing.", "Bring something.")
