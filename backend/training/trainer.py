# SPDX-License-Identifier: GPL-3.0-or-later
"""The training loop: resumable, exponential moving average, clipped gradients, validation."""

from __future__ import annotations

import contextlib
import json
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from ..diffusion import Schedule, draw_kept_conditions
from ..errors import BackendError
from ..model import ReMoDiffuse
from ..model_folder import load_model
from ..text.encoder import load_encoder
from .data.prepare import TrainingSet
from .dataset import Batch, Batches
from .losses import MotionLoss

if TYPE_CHECKING:
    from .config import RunConfig

ENCODER: Final = "all-MiniLM-L6-v2"
VALIDATION_TIMESTEPS: Final = (50, 250, 500, 750, 950)


class Trainer:
    """One run in one folder: `checkpoint.pt` (everything needed to go on) and `log.jsonl`.

    A run that was killed goes on from its last checkpoint, with the same batches, noise and losses as an unbroken one.
    """

    def __init__(self, config: RunConfig, folder: Path) -> None:
        settings = config.training
        torch.set_num_threads(settings.threads)
        torch.manual_seed(settings.seed)
        self.config, self.folder = config, folder
        first = load_model(Path(config.start)) if config.start else None
        self.batches = Batches(
            TrainingSet.load(Path(config.data)),
            load_encoder(ENCODER),
            config.model,
            crop=settings.crop,
            noise=settings.score_noise,
            statistics=(first.mean.numpy(), first.deviation.numpy()) if first else None,
        )
        trained = first.card.training if first else {}
        self.earlier = {"iterations": trained.get("iterations", 0), "hours": trained.get("hours", 0.0)}
        """Spent on the weights before this run."""
        self.model = ReMoDiffuse(config.model)
        if first:
            self.model.load_state_dict(self.model.state_dict() | first.network.state_dict())
        self.average = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        self.schedule = Schedule.training(config.model.diffusion)
        self.loss = MotionLoss(config.loss, torch.from_numpy(self.batches.deviation))
        self.rng = np.random.default_rng(settings.seed)
        self.generator = torch.Generator().manual_seed(settings.seed)
        self.iteration, self.seconds = 0, 0.0
        folder.mkdir(parents=True, exist_ok=True)
        if self.checkpoint.exists():
            self._restore()

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    def run(self, until: float | None = None, last: int | None = None) -> None:
        """Train as many iterations as configured, or up to `last`, or until the clock (time.time()) says `until`."""
        settings = self.config.training
        last = min(settings.iterations, last or settings.iterations)
        pool: list[Batch] = []
        begin = time.time() - self.seconds
        while self.iteration < last and (until is None or time.time() < until):
            # Pools start at checkpoints, so that a resumed run draws what an unbroken one would have drawn.
            if not pool or self.iteration % settings.checkpoint_every == 0:
                pool = self.batches.draw(settings.batch, self.rng)
            loss, plain = self._step(pool.pop())
            self.iteration += 1
            self.seconds = time.time() - begin
            if not math.isfinite(loss):
                raise FloatingPointError(f"the loss is {loss} at iteration {self.iteration}")
            record: dict[str, Any] = {"iteration": self.iteration, "seconds": round(self.seconds, 1)}
            if self.iteration % 20 == 0:
                self._log(record | {"loss": loss, "plain": plain, "rate": self._rate()})
            if self.iteration % settings.validate_every == 0:
                self._log(record | {"validation": self.validate()})
            if self.iteration % settings.checkpoint_every == 0 or self.iteration == last:
                self._save()

    def _step(self, batch: Batch) -> tuple[float, float]:
        settings = self.config.training
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        size = len(batch.motion)
        timesteps = torch.randint(self.config.model.diffusion.steps, (size,), generator=self.generator)
        noise = torch.randn(batch.motion.shape, generator=self.generator)
        keep_text, keep_references = draw_kept_conditions(size, self.generator)
        noisy = self.schedule.noised(batch.motion, noise, timesteps)
        predicted = self._predict(noisy, timesteps, batch, keep_text, keep_references)
        loss, plain = self.loss(predicted, batch.motion, batch.frame_mask, timesteps)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if settings.gradient_clip:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), settings.gradient_clip)
        self.optimizer.step()
        # A young average forgets its random start faster.
        keep = min(settings.ema, (1 + self.iteration) / (10 + self.iteration))
        with torch.no_grad():
            for name, value in self.model.state_dict().items():
                self.average[name].lerp_(value, 1.0 - keep)
        return loss.item(), plain.item()

    def _predict(
        self,
        noisy: torch.Tensor,
        timesteps: torch.Tensor,
        batch: Batch,
        keep_text: torch.Tensor,
        keep_references: torch.Tensor,
    ) -> torch.Tensor:
        text = self.model.encode_text(batch.tokens, batch.token_mask)
        references = self.model.encode_references(
            batch.references, batch.reference_lengths, batch.reference_tokens, batch.reference_token_mask
        )
        return self.model(
            noisy, timesteps, batch.frame_mask, text, references, keep_text, keep_references, batch.aligned
        )

    @torch.no_grad()
    def validate(self) -> list[float]:
        """Plain reconstruction error of the averaged weights on held-out clips, at VALIDATION_TIMESTEPS."""
        own = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.model.load_state_dict(self.average)
        rng, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
        windows = rng.permutation(self.batches.validation)[:96]
        batch = self.batches.assemble(windows, rng)
        keep = torch.ones(len(windows), dtype=torch.bool)
        errors = []
        for timestep in VALIDATION_TIMESTEPS:
            timesteps = torch.full((len(windows),), timestep)
            noisy = self.schedule.noised(batch.motion, torch.randn(batch.motion.shape, generator=generator), timesteps)
            predicted = self._predict(noisy, timesteps, batch, keep, keep)
            _, plain = self.loss(predicted, batch.motion, batch.frame_mask, timesteps)
            errors.append(round(float(plain), 4))
        self.model.load_state_dict(own)
        return errors

    def _rate(self) -> float:
        settings = self.config.training
        rate = settings.learning_rate * min(1.0, (self.iteration + 1) / max(1, settings.warmup))
        if settings.decay:
            left = (settings.iterations - self.iteration) / settings.decay
            return rate * max(0.01, min(1.0, left))
        return rate * 0.5 * (1.0 + math.cos(math.pi * self.iteration / settings.iterations))

    def _log(self, record: dict[str, Any]) -> None:
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(record) + "\n")

    def _save(self) -> None:
        temporary = self.checkpoint.with_suffix(".part")
        try:
            torch.save(self._state(), temporary)
            temporary.replace(self.checkpoint)
        except (OSError, RuntimeError) as error:  # torch has an error of its own for a full disk
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise BackendError(
                "cannot_write",
                f"{self.checkpoint} cannot be written.",
                "Free some space, then repeat the command: it goes on from the checkpoint before.",
            ) from error

    def _state(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "average": self.average,
            "mean": torch.from_numpy(self.batches.mean),
            "deviation": torch.from_numpy(self.batches.deviation),
            "optimizer": self.optimizer.state_dict(),
            "rng": json.dumps(self.rng.bit_generator.state),
            "generator": self.generator.get_state(),
            "iteration": self.iteration,
            "seconds": self.seconds,
            "earlier": self.earlier,
        }

    def _restore(self) -> None:
        state = torch.load(self.checkpoint, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average = state["average"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.rng.bit_generator.state = json.loads(state["rng"])
        self.generator.set_state(state["generator"])
        self.iteration, self.seconds, self.earlier = state["iteration"], state["seconds"], state["earlier"]
