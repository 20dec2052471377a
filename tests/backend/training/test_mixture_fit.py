# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases whose best mixture is known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from backend.errors import BackendError
from backend.model import DiffusionConfig, MixtureConfig
from backend.model_card import SamplerConfig
from backend.model_folder import load_model
from backend.training.cli import train
from backend.training.mixture import LeastSquares, fit_mixture, write_mixture
from backend.training.publish import export_model
from backend.training.trainer import Trainer

if TYPE_CHECKING:
    from pathlib import Path

    from backend.training.config import RunConfig


def branches(seed: int = 0) -> torch.Tensor:
    return torch.randn(4, 3, 20, 7, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_coefficients_that_made_a_motion_are_found() -> None:
    wanted = np.array([0.52351, -0.28419, 2.39872])
    sums = LeastSquares()
    mask = torch.ones(3, 20, dtype=torch.bool)
    mask[1, 12:] = False
    for seed in range(3):
        predicted = branches(seed)
        clean = torch.einsum("b,bntf->ntf", torch.tensor([*wanted, 1.0 - wanted.sum()]), predicted)
        clean[1, 12:] = 1e6  # what lies behind the end must not matter
        sums.add(predicted, clean, mask)
    np.testing.assert_allclose(sums.solve(), wanted, atol=1e-9)
    assert sums.error(sums.solve()) == pytest.approx(0.0, abs=1e-9)
    assert sums.error(np.array([1.0, 0.0, 0.0])) > 0.1


def test_branches_that_say_the_same_leave_both_alone() -> None:
    sums = LeastSquares()
    same = branches()[:1].expand(4, -1, -1, -1)
    sums.add(same, same[0] + 1.0, torch.ones(3, 20, dtype=torch.bool))
    np.testing.assert_allclose(sums.solve(), [1.0, 0.0, 0.0])
    assert sums.error(sums.solve()) == pytest.approx(1.0)


def test_the_error_is_that_of_the_mixture() -> None:
    sums, predicted = LeastSquares(), branches()
    clean = branches(9)[0]
    sums.add(predicted, clean, torch.ones(3, 20, dtype=torch.bool))
    mixed = 0.5 * predicted[0] - 0.25 * predicted[1] + 0.5 * predicted[2] + 0.25 * predicted[3]
    expected = float((clean - mixed).square().mean())
    assert sums.error(np.array([0.5, -0.25, 0.5])) == pytest.approx(expected)
    assert sums.error(sums.solve()) < expected


def test_a_runs_mixture_is_fitted_and_written_into_its_card(
    config: RunConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Trainer(config, tmp_path / "run")
    run.run(last=12)
    fit = fit_mixture(run, 3)
    assert fit.after <= fit.before
    again = fit_mixture(run, 3)
    assert again.mixture == fit.mixture
    export_model(config, run.checkpoint, tmp_path / "model", SamplerConfig(start_timestep=300))
    before = load_model(tmp_path / "model")
    write_mixture(tmp_path / "model", fit.mixture)
    after = load_model(tmp_path / "model")
    assert after.card.config.mixture == fit.mixture != before.card.config.mixture
    assert after.card.weights_sha256 == before.card.weights_sha256
    # What other steps are mixed by stays.
    assert replace(fit.mixture, both=1.0, text=0.0, retrieval=0.0) == replace(
        config.model.mixture, both=1.0, text=0.0, retrieval=0.0
    )
    assert capsys.readouterr().out == ""


def test_what_cannot_be_fitted_is_refused(config: RunConfig, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[data]\nfile = 'x.npz'\n[model]\nfeatures = 137\n")
    for words in (["mixture", str(path)], ["mixture", str(path), "--batches", "0"], ["mixture", "nowhere.toml"]):
        with pytest.raises(BackendError) as caught:
            train([*words, "--run", str(tmp_path / "nothing")])
        assert caught.value.remedy
    assert not (tmp_path / "nothing").exists()
    coarse = replace(config.model, diffusion=DiffusionConfig(sections=(1,)), mixture=MixtureConfig(fine_limit=-1))
    with pytest.raises(BackendError, match="nothing to fit"):
        fit_mixture(Trainer(replace(config, model=coarse), tmp_path / "coarse"), 1)
