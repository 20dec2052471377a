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
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from ..diffusion import Schedule, draw_kept_conditions, sample, take_coins, take_noise
from ..errors import BackendError
from ..model import ReMoDiffuse
from ..model_card import read_card
from ..model_folder import CARD, load_model
from ..motion.decoding import decoded
from ..motion.skeleton import FPS
from ..text.encoder import load_encoder
from .board import Board
from .captions import Captions
from .config import VALIDATION_TIMESTEPS
from .data.official import read_official
from .data.prepare import TrainingSet
from .dataset import Batches, Draws
from .engine import Engine
from .losses import MotionLoss

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ..text.encoder import TextEncoder
    from .config import RunConfig
    from .dataset import Batch, Draw

ENCODER: Final = "all-MiniLM-L6-v2"

LOGGED: Final = 20
"""Iterations from one line of the log to the next. Only there does a run on a GPU wait for the loss."""


class Trainer:
    """One run in one folder: `checkpoint.pt` (everything needed to go on), `best.pt` (the same, of the validation with
    the smallest error so far) and `log.jsonl`.

    A run that was killed goes on from its last checkpoint, with the same batches, noise and losses as an unbroken one:
    what an iteration draws depends on the seed and its number alone.
    """

    def __init__(self, config: RunConfig, folder: Path) -> None:
        settings = config.training
        torch.set_num_threads(settings.threads)
        self.config, self.folder = config, folder
        self.engine = Engine(settings.device, settings.precision)
        first = load_model(Path(config.start)) if config.start else None
        self.batches = load_batches(
            config,
            crop=settings.crop,
            noise=settings.score_noise,
            statistics=(first.mean.numpy(), first.deviation.numpy()) if first else None,
            device=self.engine.device,
        )
        trained = first.card.training if first else {}
        self.earlier = {"iterations": trained.get("iterations", 0), "hours": trained.get("hours", 0.0)}
        """Spent on the weights before this run."""
        torch.manual_seed(settings.seed)
        self.model = ReMoDiffuse(config.model).to(self.engine.device)
        if first:
            self.model.load_state_dict(self.model.state_dict() | first.network.state_dict())
        self.average = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        self.schedule = Schedule.training(config.model.diffusion)
        self.loss = MotionLoss(
            config.loss,
            torch.from_numpy(self.batches.deviation).to(self.engine.device),
            self.schedule,
            self.batches.layout,
        )
        self.generator = torch.Generator(self.engine.device)
        self.iteration, self.seconds, self.best = 0, 0.0, math.inf
        folder.mkdir(parents=True, exist_ok=True)
        self.board = Board(folder) if settings.tensorboard and self.engine.first else None
        if self.checkpoint.exists():
            self._restore()
        self._shared = self.engine.prepare(_Prediction(self.model))

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    def run(
        self,
        until: float | None = None,
        last: int | None = None,
        told: Callable[[int, float], object] = lambda iteration, loss: None,
    ) -> None:
        """Train as many iterations as configured, or up to `last`, or until the clock (time.time()) says `until`.

        `told(iteration, loss)` at every line of the log.
        """
        settings = self.config.training
        last = min(settings.iterations, last or settings.iterations)
        begin = time.time() - self.seconds
        draws: DataLoader[Draw] = DataLoader(
            Draws(self.batches, settings.batch, settings.seed),
            batch_size=None,
            sampler=range(self.iteration, last),
            num_workers=settings.workers,
            pin_memory=self.engine.device.type == "cuda",
        )
        for draw in draws:
            if until is not None and not self.engine.agreed(time.time() < until):
                break
            losses = self._step(self.batches.gathered(draw))
            self.iteration += 1
            self.seconds = time.time() - begin
            record: dict[str, Any] = {"iteration": self.iteration, "seconds": round(self.seconds, 1)}
            if self.iteration % LOGGED == 0 or self.iteration == last:
                loss, plain = losses.tolist()
                told(self.iteration, loss)
                if not math.isfinite(loss):
                    raise BackendError(
                        "diverged",
                        f"The loss is {loss} at iteration {self.iteration}.",
                        "Lower the learning rate or set gradient_clip, then go on from the last checkpoint.",
                    )
                self._log(record | {"loss": loss, "plain": plain, "rate": self._rate()})
            if self.iteration % settings.validate_every == 0 and self.engine.first:
                errors = self.validate()
                self._log(record | {"validation": errors})
                if self.board is not None:
                    self.board.picture(self.iteration, self._sampled())
                if (error := sum(errors) / len(errors)) < self.best:
                    self.best = error
                    self._save(self.folder / "best.pt")
            if self.iteration % settings.checkpoint_every == 0 or self.iteration == last:
                self._save(self.checkpoint)
                self.engine.wait()
        if self.board is not None:
            self.board.close()

    def _step(self, batch: Batch) -> Tensor:
        """(2,) loss that was minimised, and plain mean squared error."""
        settings = self.config.training
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        size, device = len(batch.motion), self.engine.device
        self.generator.manual_seed((settings.seed << 32) + self.iteration)
        timesteps = torch.randint(self.config.model.diffusion.steps, (size,), generator=self.generator, device=device)
        noise = torch.randn(batch.motion.shape, generator=self.generator, device=device)
        keep_text, keep_references = draw_kept_conditions(size, self.generator)
        # All processes drew the same; from here on each has its own samples.
        count = batch.frame_mask.sum()
        batch = self.engine.part(batch)
        timesteps, noise, keep_text, keep_references = map(
            self.engine.mine, (timesteps, noise, keep_text, keep_references)
        )
        noisy = self.schedule.noised(batch.motion, noise, timesteps)
        predicted = self._shared(noisy, timesteps, batch, keep_text, keep_references).float()
        loss, plain = self.loss(predicted, batch.motion, batch.frame_mask, timesteps, count)
        self.optimizer.zero_grad(set_to_none=True)
        self.engine.backward(loss)
        self.engine.step(self.optimizer, self.model.parameters(), settings.gradient_clip)
        # A young average forgets its random start faster.
        keep = min(settings.ema, (1 + self.iteration) / (10 + self.iteration))
        with torch.no_grad():
            own = self.model.state_dict()
            get_ema_multi_avg_fn(keep)(list(self.average.values()), [own[name] for name in self.average], None)
        return self.engine.total(torch.stack([loss.detach(), plain]))

    @torch.no_grad()
    def validate(self) -> list[float]:
        """Plain reconstruction error of the averaged weights on held-out clips, at VALIDATION_TIMESTEPS."""
        own = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.model.load_state_dict(self.average)
        rng, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
        windows = rng.permutation(self.batches.validation)[:96]
        batch = self.batches.assemble(windows, rng)
        predict = _Prediction(self.model)
        keep = torch.ones(len(windows), dtype=torch.bool, device=self.engine.device)
        errors = []
        for timestep in VALIDATION_TIMESTEPS:
            timesteps = torch.full((len(windows),), timestep, device=self.engine.device)
            noise = torch.randn(batch.motion.shape, generator=generator).to(self.engine.device)
            noisy = self.schedule.noised(batch.motion, noise, timesteps)
            predicted = predict(noisy, timesteps, batch, keep, keep)
            _, plain = self.loss(predicted, batch.motion, batch.frame_mask, timesteps)
            errors.append(round(float(plain), 4))
        self.model.load_state_dict(own)
        return errors

    @torch.no_grad()
    def _sampled(self) -> NDArray[np.floating]:
        """Joint positions (T, 22, 3) of one motion that the averaged weights make of a held-out clip's caption."""
        windows = self.batches.validation if len(self.batches.validation) else self.batches.training
        batch = self.batches.assemble(windows[:1], np.random.default_rng(0))
        model = ReMoDiffuse(self.config.model).to(self.engine.device).eval()
        model.load_state_dict(self.average)
        conditions = model.denoiser.condition(
            model.encode_text(batch.tokens, batch.token_mask),
            model.encode_references(
                batch.references, batch.reference_lengths, batch.reference_tokens, batch.reference_token_mask
            ),
        )
        if batch.aligned is not None:
            conditions = model.denoiser.aligned_to(conditions, batch.aligned)
        schedule = Schedule.fast(self.config.model.diffusion)
        _, frames, features = batch.motion.shape
        noise = torch.from_numpy(take_noise(0, frames, features))[None].to(self.engine.device)
        made = sample(
            model.denoiser,
            conditions,
            batch.frame_mask,
            noise,
            take_coins([0], len(schedule)),
            schedule,
            self.config.model.mixture,
        )
        rows = made[0].cpu().numpy() * self.batches.deviation + self.batches.mean
        layout = self.batches.layout
        return decoded(layout, rows.astype(np.float64), round(frames * FPS / layout.fps))[0]

    def _rate(self) -> float:
        settings = self.config.training
        rate = settings.learning_rate * min(1.0, (self.iteration + 1) / max(1, settings.warmup))
        if settings.decay:
            left = (settings.iterations - self.iteration) / settings.decay
            return rate * max(0.01, min(1.0, left))
        return rate * 0.5 * (1.0 + math.cos(math.pi * self.iteration / settings.iterations))

    def _log(self, record: dict[str, Any]) -> None:
        if not self.engine.first:
            return
        if self.board is not None:
            self.board.curves(record)
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(record) + "\n")

    def _save(self, path: Path) -> None:
        if not self.engine.first:
            return
        temporary = path.with_suffix(".part")
        try:
            torch.save(self._state(), temporary)
            temporary.replace(path)
        except (OSError, RuntimeError) as error:  # torch has an error of its own for a full disk
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise BackendError(
                "cannot_write",
                f"{path} cannot be written.",
                "Free some space, then repeat the command: it goes on from the checkpoint before.",
            ) from error

    def _state(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "average": self.average,
            "mean": torch.from_numpy(self.batches.mean),
            "deviation": torch.from_numpy(self.batches.deviation),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.engine.scaler.state_dict(),
            "iteration": self.iteration,
            "seconds": self.seconds,
            "earlier": self.earlier,
            "best": self.best,
        }

    def _restore(self) -> None:
        state = read_state(self.checkpoint, self.engine.device)
        try:
            self.model.load_state_dict(state["model"])
            self.average = state["average"]
            self.optimizer.load_state_dict(state["optimizer"])
            if state.get("scaler") and self.engine.scaler.is_enabled():
                self.engine.scaler.load_state_dict(state["scaler"])
            self.iteration, self.seconds, self.earlier = state["iteration"], state["seconds"], state["earlier"]
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise _bad_checkpoint(self.checkpoint, "is no checkpoint of this configuration") from error
        # Runs that began before the best was kept do not have it.
        self.best = state.get("best", math.inf)


def read_state(checkpoint: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """What a run left in its checkpoint. No code in the file is run.

    Raises BackendError "bad_checkpoint" where it is missing, damaged, or holds weights that are no numbers.
    """
    try:
        state = torch.load(checkpoint, weights_only=True, map_location=device)
    except Exception as error:  # a damaged file can make the unpickler fail in any way
        raise _bad_checkpoint(checkpoint, "cannot be read, or holds more than a run's state") from error
    weights = state.get("average") if isinstance(state, dict) else None
    if not isinstance(weights, dict) or not all(isinstance(each, Tensor) for each in weights.values()):
        raise _bad_checkpoint(checkpoint, "holds no weights of a run")
    for name, tensor in weights.items():
        if not tensor.isfinite().all():
            raise _bad_checkpoint(checkpoint, f"has weights that are no numbers, in {name}")
    return state


def _bad_checkpoint(path: Path, problem: str) -> BackendError:
    return BackendError(
        "bad_checkpoint",
        f"{path} {problem}.",
        "Choose another folder with --folder, or delete the file to begin again.",
    )


def load_batches(
    config: RunConfig,
    *,
    crop: float = 1.0,
    noise: float = 0.0,
    statistics: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
    device: torch.device | None = None,
) -> Batches:
    """The training set that a configuration names, with its captions encoded."""
    file = Path(config.data)
    data = load_set(file)
    texts = [text for texts in data.captions for text in texts]
    captions = Captions.of(
        texts, lambda: run_encoder(config), file.with_suffix(".captions.safetensors"), config.training.workers
    )
    return Batches(data, captions, config.model, crop=crop, noise=noise, statistics=statistics, device=device)


def load_set(path: Path) -> TrainingSet:
    """The training set at a path: a folder of the official layout, or a file that data prepare made."""
    return read_official(path) if path.is_dir() else TrainingSet.load(path)


def run_encoder(config: RunConfig) -> TextEncoder:
    """The text encoder of a run: that of the model that it starts from, else ENCODER.

    Raises BackendError where its token features are not as wide as the configured model reads them.
    """
    start = Path(config.start) if config.start else None
    encoder = load_encoder(read_card(start / CARD).encoder if start else ENCODER, start)
    if {config.model.token_width, config.model.reference_token_width} != {encoder.token_dim}:
        raise BackendError(
            "bad_config",
            f"The text encoder {encoder.name} gives {encoder.token_dim} numbers a token, the configured model reads "
            f"{config.model.token_width}, of references {config.model.reference_token_width}.",
            f"Set token_width and reference_token_width to {encoder.token_dim} in [model].",
        )
    return encoder


class _Prediction(nn.Module):
    """A training sample's way through the whole network, as one module: what several processes share gradients of."""

    def __init__(self, model: ReMoDiffuse) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, noisy: Tensor, timesteps: Tensor, batch: Batch, keep_text: Tensor, keep_references: Tensor
    ) -> Tensor:
        text = self.model.encode_text(batch.tokens, batch.token_mask)
        references = self.model.encode_references(
            batch.references, batch.reference_lengths, batch.reference_tokens, batch.reference_token_mask
        )
        return self.model(
            noisy, timesteps, batch.frame_mask, text, references, keep_text, keep_references, batch.aligned
        )
