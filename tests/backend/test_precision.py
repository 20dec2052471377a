# SPDX-License-Identifier: GPL-3.0-or-later
"""What bfloat16 changes in takes of the model that ships."""

from __future__ import annotations

import numpy as np
import pytest

from backend.errors import BackendError
from backend.generate import Generator
from backend.model_folder import STARTER
from backend.request import Request


@pytest.mark.parametrize("quality", ["full", "fast"])
def test_bfloat16_takes_of_the_starter_model_are_within_a_centimetre(quality: str) -> None:
    distances = []
    for prompt in ("a person walks forward", "a person waves with the right hand", "someone jumps"):
        request = Request(prompt, 3.0, seed=4, quality=quality)
        exact, short = (
            Generator.load(STARTER, device="cpu", precision=precision).generate(request)[0]
            for precision in ("float32", "bfloat16")
        )
        assert (exact.provenance.sampler["precision"], short.provenance.sampler["precision"]) == ("float32", "bfloat16")
        distances.append(np.linalg.norm(exact.motion.positions - short.motion.positions, axis=-1).mean())
    assert 0 < np.mean(distances) < 0.01, distances


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(BackendError, match="int8"):
        Generator.load(STARTER, device="cpu", precision="int8")
