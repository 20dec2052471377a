# SPDX-License-Identifier: GPL-3.0-or-later
"""Parity with the official code: rebuilds a model from a file of golden numbers and compares every stage with them."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import numpy as np
import torch

from .arrays import UNREADABLE
from .diffusion import (
    BRANCHES,
    MixedDenoiser,
    Schedule,
    kept_conditions,
    mixture_weights,
    reconstruction_loss,
    sample,
)
from .diffusion.mixture import KEEPS_REFERENCES, KEEPS_TEXT
from .errors import BackendError
from .golden import Golden, Row
from .library.retrieval import choose, from_index_table, hybrid_scores, length_factors
from .model.official import plain_name, to_official
from .model.packed import packed
from .model.positions import sinusoid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from .model import Conditioning, Denoiser, ReferenceCondition, TextCondition
    from .model.denoiser import DenoiserBlock

# Float32 rounding of two different but equal computations, several times the official code's distance from float64.
FLOAT64: Final = 1e-12
FEATURES: Final = 5e-5
MIXED: Final = 3e-4
SAMPLES: Final = 5e-4
LOSS: Final = 1e-5
GRADIENTS: Final = 1e-5

# The golden file's words for BRANCHES.
_BRANCH_KEYS: Final = ("both", "text", "retr", "none")


def verify(path: Path) -> list[Row]:
    """All comparisons that a golden file (`parity_*.npz`, see tests/fixtures) allows, in the order of the data's way.

    Raises BackendError "bad_fixture" where it is no such file.
    """
    try:
        return list(_Parity(Golden.load(path)).rows())
    except KeyError as error:
        raise _bad_fixture(f"{path.name} lacks {error}") from error
    except UNREADABLE as error:
        raise _bad_fixture(f"{path.name} is no file of golden numbers") from error


def _bad_fixture(problem: str) -> BackendError:
    return BackendError("bad_fixture", f"{problem}.", "Give the path of a complete parity_*.npz file.")


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m backend verify FILE [--json]`: prints a row per comparison; 1 if one is out of tolerance."""
    parser = argparse.ArgumentParser(prog="backend verify", description=__doc__)
    parser.add_argument("file", type=Path, help="golden numbers, parity_*.npz")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    arguments = parser.parse_args(argv)
    rows = verify(arguments.file)
    if arguments.json:
        sys.stdout.write(json.dumps([asdict(row) | {"ok": row.ok} for row in rows], indent=2) + "\n")
    else:
        width = max(len(row.name) for row in rows)
        for row in rows:
            verdict = "ok" if row.ok else "FAILED"
            sys.stdout.write(f"{row.name:{width}}  {row.difference:9.2e}  allowed {row.tolerance:7.0e}  {verdict}\n")
    return 0 if all(row.ok for row in rows) else 1


class _Parity:
    """One generator of rows for each stage."""

    def __init__(self, golden: Golden) -> None:
        self.compare, self.count_differences = golden.compare, golden.count_differences
        self.arrays = golden.arrays
        self.config = golden.config
        self.tensor = golden.tensor
        self.model = golden.model()
        self.schedule = Schedule.sampling(self.config.diffusion)

    def rows(self) -> Iterator[Row]:
        with torch.no_grad():
            yield from self.schedules()
            yield from self.retrieval()
            yield from self.conditions()
            yield from self.time_embedding()
            yield from self.inside()
            yield from self.branches()
            yield from self.mixtures()
            yield from self.samples()
        yield from self.training()

    def schedules(self) -> Iterator[Row]:
        schedule, full = self.schedule, Schedule.training(self.config.diffusion)
        yield self.count_differences("sched/timestep_map", schedule.timesteps)
        yield self.count_differences("ddim/timesteps", schedule.timesteps[::-1])
        yield self.compare("sched/alphas_cumprod", schedule.signal, FLOAT64)
        yield self.compare("sched/alphas_cumprod_prev", schedule.signal_before, FLOAT64)
        yield self.compare("sched/betas", schedule.betas, FLOAT64)
        yield self.compare("sched/fixed_large_variance", schedule.fixed_large_variance, FLOAT64)
        yield self.compare("sched/train_alphas_cumprod", full.signal, FLOAT64)
        yield self.compare("sched/train_betas", full.betas, FLOAT64)

    def retrieval(self) -> Iterator[Row]:
        queries, lengths = self.arrays["query/text_feature"], self.arrays["query/length"]
        features, frames = self.arrays["db/text_features"], self.arrays["db/m_lengths"]
        asked = list(zip(queries, lengths, strict=True))
        kinematic = self.config.kinematic_coefficient
        cosines = [hybrid_scores(query, features, length, frames, kinematic=0.0) for query, length in asked]
        yield self.compare("retrieve/semantic", cosines, FEATURES)
        yield self.compare("retrieve/kinematic", [length_factors(n, frames, kinematic) for n in lengths], FLOAT64)
        scores = [hybrid_scores(query, features, length, frames, kinematic) for query, length in asked]
        yield self.compare("retrieve/score", scores, FEATURES)
        yield self.count_differences("retrieve/topk_eval", [self.retrieved(query, n) for query, n in asked])
        yield self.count_differences(
            "retrieve/topk_train", [self.retrieved(query, n, training=True) for query, n in asked]
        )
        for stage in ("test", "train"):
            prompts = zip(self.arrays[f"{stage}/text_feature"], self.arrays[f"{stage}/motion_length"], strict=True)
            found = [self.retrieved(query, length, training=stage == "train") for query, length in prompts]
            yield self.count_differences(f"{stage}/retrieved", found)
        wanted = self.config.references
        by_test = [from_index_table(row, wanted) for row in self.arrays["db/test_indexes"]]
        yield self.count_differences("retrieve/by_test_index", by_test)
        # The official order in training is random, so the golden rows are sorted.
        by_train = [
            sorted(from_index_table(row, wanted, own)) for own, row in enumerate(self.arrays["db/train_indexes"])
        ]
        yield self.count_differences("retrieve/by_train_index_sorted", by_train)

    def retrieved(self, query: NDArray, length: int, *, training: bool = False) -> list[int]:
        """The chosen database rows. Official training leaves out all clips of exactly the wanted length."""
        frames = self.arrays["db/m_lengths"]
        scores = hybrid_scores(
            query, self.arrays["db/text_features"], length, frames, self.config.kinematic_coefficient
        )
        banned = np.flatnonzero(frames == length).tolist() if training else []
        return choose(scores, np.arange(len(frames)), self.config.references, banned=banned)

    def conditions(self) -> Iterator[Row]:
        yield self.compare("test/xf_out", self.text.tokens, FEATURES)
        yield self.compare("test/re_motion", self.references.motion, FEATURES)
        yield self.compare("test/re_text", self.references.caption[:, :, None], FEATURES)
        yield self.count_differences("test/re_mask", self.references.mask)

    def time_embedding(self) -> Iterator[Row]:
        timesteps = self.tensor("test/timesteps")
        yield self.compare("test/timestep_sinusoid", sinusoid(timesteps, self.config.width), FEATURES)
        yield self.compare("test/time_emb", self.model.denoiser.embed_time(timesteps), FEATURES)

    def inside(self) -> Iterator[Row]:
        """Hidden frames of all branches at the first timestep, caught on their way through the denoiser."""
        caught: dict[str, tuple[Tensor, Tensor]] = {}
        blocks = cast("list[DenoiserBlock]", list(self.model.denoiser.blocks))
        first, last = blocks[0], blocks[-1]
        hooks = [
            module.register_forward_hook(lambda _, given, result, name=name: caught.update({name: (given[0], result)}))
            for name, module in (("first", first), ("feedforward", first.feedforward), ("last", last))
        ]
        self.predict_branches(self.tensor("test/timesteps")[0])
        for hook in hooks:
            hook.remove()
        entered, left = caught["first"]
        yield self.compare("inside/layer0_in", entered[: len(self.mask)], FEATURES)
        yield self.compare("inside/layer0_sma", caught["feedforward"][0], FEATURES)
        yield self.compare("inside/layer0_out", left, FEATURES)
        yield self.compare("inside/last_out", caught["last"][1], FEATURES)

    def branches(self) -> Iterator[Row]:
        outputs = [self.predict_branches(timestep) for timestep in self.tensor("test/timesteps")]
        for number, branch in enumerate(_BRANCH_KEYS):
            for place, timestep in enumerate(self.arrays["test/timesteps"]):
                name = f"test/out_{branch}"
                yield self.compare(name, outputs[place][number], FEATURES, at=place, label=f"{name} t={timestep}")

    def predict_branches(self, timestep: Tensor) -> Tensor:
        """(4, B, T, F) the prediction of each branch alone."""
        batch, count = len(self.mask), len(BRANCHES)
        conditions = self.conditioning.rows(torch.arange(batch).repeat(count)).kept(
            torch.tensor(KEEPS_TEXT).repeat_interleave(batch), torch.tensor(KEEPS_REFERENCES).repeat_interleave(batch)
        )
        x_t, mask = self.tensor("test/x_t").repeat(count, 1, 1), self.mask.repeat(count, 1)
        return self.model.denoiser(x_t, timestep.expand(len(x_t)), mask, conditions).unflatten(0, (count, batch))

    def mixtures(self) -> Iterator[Row]:
        timesteps, batch = self.arrays["test/timesteps"], len(self.mask)
        for coin in (0, 1):
            weights = mixture_weights(self.config.mixture, timesteps, np.full((len(timesteps), batch), coin))
            yield self.compare("test/coefs", weights[:, 0], FLOAT64, at=np.s_[:, coin], label=f"test/coefs coin={coin}")
            predict = MixedDenoiser(self.packed, self.conditioning, self.mask, timesteps, weights)
            name = f"test/mixed_branch{coin}"
            for place, timestep in enumerate(timesteps):
                mixed = predict(self.tensor("test/x_t"), place)
                yield self.compare(name, mixed, MIXED, at=place, label=f"{name} t={timestep}")

    def samples(self) -> Iterator[Row]:
        recorded = np.maximum(self.arrays["ddim/branch"][::-1], 0)
        noise, mixture = self.tensor("ddim/noise"), self.config.mixture
        for name, coins in (
            ("ddim/sample", recorded),
            ("ddim/sample_all0", np.zeros_like(recorded)),
            ("ddim/sample_all1", np.ones_like(recorded)),
        ):
            result = sample(self.packed, self.conditioning, self.mask, noise, self.coins(coins), self.schedule, mixture)
            yield self.compare(name, result, SAMPLES)

        weights = mixture_weights(mixture, self.schedule.timesteps, self.coins(recorded))
        yield self.compare("ddim/coefs", weights[::-1, 0], FLOAT64)
        predict = MixedDenoiser(self.model.denoiser, self.conditioning, self.mask, self.schedule.timesteps, weights)
        states, predictions = [noise], []
        for index in reversed(range(len(self.schedule))):
            predictions.append(predict(states[-1], index))
            states.append(self.schedule.ddim_step(states[-1], predictions[-1], index))
        after = torch.stack(states[1:])
        yield self.compare("ddim/snap_x", after[self.arrays["ddim/snap_steps"]], SAMPLES)
        yield self.compare("ddim/step_x_rms", _root_mean_square(after), SAMPLES)
        yield self.compare("ddim/step_x0_rms", _root_mean_square(torch.stack(predictions)), SAMPLES)

    def training(self) -> Iterator[Row]:
        """One training step: forward, loss, gradients under their official names."""
        schedule = Schedule.training(self.config.diffusion)
        clean, timesteps = self.tensor("train/motion"), self.tensor("train/t")
        mask = self.tensor("train/motion_mask") > 0
        x_t = schedule.noised(clean, self.tensor("train/noise"), timesteps)
        yield self.compare("train/x_t_row0", x_t[0], FEATURES)

        self.model.train().zero_grad()
        text = self.model.encode_text(self.tensor("train/clip_feat"))
        references = self.encode_references(self.arrays["train/retrieved"])
        keep_text, keep_references = kept_conditions(self.tensor("train/cond_type"))
        predicted = self.model(x_t, timesteps, mask, text, references, keep_text, keep_references)
        yield self.compare("train/pred", predicted, FEATURES)
        loss = reconstruction_loss(predicted, clean, mask)
        yield self.compare("train/loss", loss, LOSS)
        loss.backward()
        gradients = {
            name: torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            for name, parameter in self.model.named_parameters()
        }
        official = to_official(gradients, self.config)
        norms = [official[plain_name(name)].norm() for name in self.arrays["train/grad_names"].tolist()]
        yield self.compare("train/grad_norms", norms, GRADIENTS)
        for name in self.arrays:
            if name.startswith("train/grad/"):
                gradient = official[plain_name(name.removeprefix("train/grad/"))]
                yield self.compare(name, gradient, GRADIENTS)

    @property
    def mask(self) -> Tensor:
        return self.tensor("test/motion_mask") > 0

    @cached_property
    def text(self) -> TextCondition:
        return self.model.encode_text(self.tensor("test/clip_feat"))

    @cached_property
    def references(self) -> ReferenceCondition:
        return self.encode_references(self.arrays["test/retrieved"])

    @cached_property
    def conditioning(self) -> Conditioning:
        return self.model.denoiser.condition(self.text, self.references)

    @cached_property
    def packed(self) -> Denoiser:
        """The denoiser as takes are sampled with it."""
        return packed(self.model.denoiser)

    def encode_references(self, rows: NDArray[np.int64]) -> ReferenceCondition:
        """Conditions from the database rows (B, R)."""
        names = ("db/motions", "db/m_lengths", "db/clip_seq_features")
        return self.model.encode_references(*(self.tensor(name)[rows] for name in names))

    def coins(self, per_step: NDArray[np.int64]) -> NDArray[np.int64]:
        """The same coins (S,) for each sample: (S, B)."""
        return np.repeat(per_step[:, None], len(self.mask), axis=1)


def _root_mean_square(steps: Tensor) -> Tensor:
    return steps.square().mean(dim=(1, 2, 3)).sqrt()
