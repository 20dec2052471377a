# SPDX-License-Identifier: GPL-3.0-or-later
"""The condition mixture's coefficients of fine steps, fitted on a training set (paper section 3.4).

The mixture is linear in its coefficients, so those that predict the clean motion best are found in closed form, by
least squares over all real frames. What the sum-to-one condition leaves open are three numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from ..diffusion import Schedule
from ..diffusion.mixture import KEEPS_REFERENCES, KEEPS_TEXT
from ..errors import BackendError
from ..model import ReMoDiffuse
from ..model_card import read_card
from ..model_folder import CARD, writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from ..model import MixtureConfig
    from .trainer import Trainer

START: Final = np.array([1.0, 0.0, 0.0])
"""Both alone. Where branches do not differ nothing can be learnt of them, and they keep this."""


@dataclass
class LeastSquares:
    """Sums over any number of predictions, from which the best coefficients follow."""

    gram: NDArray[np.float64] = field(default_factory=lambda: np.zeros((3, 3)))
    target: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    energy: float = 0.0
    count: int = 0

    def add(self, branches: Tensor, clean: Tensor, mask: Tensor) -> None:
        """`branches` (4, B, T, F): what both, text, retrieval and none predict of `clean` (B, T, F) where `mask` (B, T)
        is true."""
        rows = branches[:, mask].double()
        none = rows[3]
        columns = (rows[:3] - none).flatten(1)
        missing = (clean[mask].double() - rows[0]).flatten()
        self.gram += (columns @ columns.T).cpu().numpy()
        self.target += (columns @ missing).cpu().numpy()
        self.energy += float(missing @ missing)
        self.count += len(missing)

    def solve(self) -> NDArray[np.floating]:
        """Coefficients of both, text and retrieval; none has the rest. Of equally good ones those nearest to START."""
        change, *_ = np.linalg.lstsq(self.gram, self.target, rcond=1e-10)
        return START + change

    def error(self, coefficients: NDArray[np.floating]) -> float:
        """Mean squared error of the mixture with these coefficients."""
        change = coefficients - START
        return float(change @ self.gram @ change - 2.0 * change @ self.target + self.energy) / max(self.count, 1)


@dataclass(frozen=True, slots=True)
class Fit:
    """The mixture that was found, and the mean squared error on the training set before and after."""

    mixture: MixtureConfig
    before: float
    after: float


@torch.no_grad()
def fit_mixture(run: Trainer, batches: int, told: Callable[[int, int], object] = lambda done, total: None) -> Fit:
    """Fit on `batches` batches of training windows, at the fine timesteps that sampling keeps, in equal shares."""
    config, rng = run.config, np.random.default_rng(0)
    mixture = config.model.mixture
    kept = Schedule.sampling(config.model.diffusion).timesteps
    fine = kept[kept <= mixture.fine_limit]
    if len(fine) == 0:
        raise BackendError(
            "bad_config",
            f"Sampling keeps no timestep up to {mixture.fine_limit}: there is nothing to fit.",
            "Raise fine_limit of [model.mixture], or keep more timesteps.",
        )
    model = ReMoDiffuse(config.model).to(run.engine.device).eval()
    model.load_state_dict(run.average)
    sums, generator = LeastSquares(), torch.Generator().manual_seed(0)
    for number in range(batches):
        windows = rng.choice(run.batches.training, min(config.training.batch, len(run.batches.training)), replace=False)
        batch = run.batches.assemble(windows, rng)
        timesteps = torch.from_numpy(fine[(np.arange(len(windows)) + number) % len(fine)]).to(run.engine.device)
        noise = torch.randn(batch.motion.shape, generator=generator).to(run.engine.device)
        noisy = run.schedule.noised(batch.motion, noise, timesteps)
        text = model.encode_text(batch.tokens, batch.token_mask)
        references = model.encode_references(
            batch.references, batch.reference_lengths, batch.reference_tokens, batch.reference_token_mask
        )
        branches = torch.stack(
            [
                model(
                    noisy,
                    timesteps,
                    batch.frame_mask,
                    text,
                    references,
                    torch.full_like(timesteps, keep_text, dtype=torch.bool),
                    torch.full_like(timesteps, keep_references, dtype=torch.bool),
                    batch.aligned,
                )
                for keep_text, keep_references in zip(KEEPS_TEXT, KEEPS_REFERENCES, strict=True)
            ]
        )
        sums.add(branches, batch.motion, batch.frame_mask)
        told(number + 1, batches)
    found = sums.solve()
    both, text_share, retrieval = (round(float(value), 5) for value in found)
    fitted = replace(mixture, both=both, text=text_share, retrieval=retrieval)
    before = sums.error(np.array([mixture.both, mixture.text, mixture.retrieval]))
    return Fit(fitted, before, sums.error(found))


def write_mixture(folder: Path, mixture: MixtureConfig) -> None:
    """Put a mixture into the card of a model folder. Raises BackendError where it is none or cannot be written."""
    card = read_card(folder / CARD)
    text = replace(card, config=replace(card.config, mixture=mixture)).to_toml()
    with writing(folder, CARD) as (draft,):
        draft.write_text(text, encoding="utf-8")
