# SPDX-License-Identifier: GPL-3.0-or-later
"""No size is fixed anywhere: `verify` and all that it runs take models of KIT-ML's features and odd sizes throughout.

Its golden numbers are our own: recorded from one run over random weights, where the recorded branches and samples are
those of the plain network, and compared by a second run over the file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from backend.diffusion.mixture import KEEPS_REFERENCES, KEEPS_TEXT
from backend.diffusion.plain import sample_plainly
from backend.golden import Golden, Row
from backend.model import ReMoDiffuse
from backend.model.official import to_official
from backend.verify import SAMPLES, _Parity, main, verify

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import ArrayLike

SIZES: dict[str, Any] = {
    "input_feats": 251,
    "max_seq_len": 41,
    "latent_dim": 60,
    "num_heads": 6,
    "ff_size": 52,
    "num_layers": 3,
    "time_embed_dim": 44,
    "text_latent_dim": 27,
    "text_num_layers": 1,
    "text_num_heads": 3,
    "text_ff_size": 38,
    "num_retrieval": 3,
    "stride": 5,
    "retr_text_layers": 1,
    "retr_motion_layers": 3,
    "kinematic_coef": 0.2,
    "scale": {"coarse_scale": 4.0, "both_coef": 0.78123, "text_coef": 0.39284, "retr_coef": -0.12475},
}


@dataclass(frozen=True)
class Case:
    """Sizes of a model, and of what stands in the file beside it; frames of the samples and the training motions."""

    sizes: dict[str, Any]
    tokens: int = 19
    token_width: int = 34
    sentence: int = 22
    database: tuple[int, ...] = (41, 40, 12, 33, 7, 28, 19, 41, 25, 36, 10)
    queries: tuple[int, ...] = (41, 8, 30, 22, 15)
    test: tuple[int, ...] = (29, 17, 23)
    train: tuple[int, ...] = (41, 12, 28)
    timesteps: tuple[int, ...] = (999, 640, 101, 100, 0)


CASES = {
    "odd everywhere": Case(SIZES),
    "one of each": Case(
        SIZES
        | {"num_heads": 1, "text_num_heads": 1, "num_layers": 1, "num_retrieval": 1, "stride": 1}
        | {"retr_text_layers": 2, "retr_motion_layers": 1, "text_num_layers": 3},
        tokens=1,
        test=(41,),
        train=(41, 1),
        timesteps=(0,),
    ),
    "text as wide as CLIP's": Case(
        SIZES | {"text_latent_dim": 36, "text_num_heads": 9, "latent_dim": 16, "num_heads": 8, "num_retrieval": 4},
        token_width=36,
        tokens=77,
        queries=(33,),
    ),
    "steps longer than motions": Case(
        SIZES | {"max_seq_len": 13, "stride": 64, "latent_dim": 30, "num_heads": 15, "time_embed_dim": 7, "ff_size": 1},
        database=(13, 4, 9, 12, 1),
        queries=(13, 2),
        test=(1, 13, 5, 8),
        train=(13, 3),
    ),
}


class _Recorder(Golden):
    """Keeps what it is to compare."""

    def compare(
        self,
        name: str,
        found: ArrayLike | torch.Tensor,
        tolerance: float,
        at: int | tuple[slice | int, ...] = (),
        label: str | None = None,
    ) -> Row:
        value = np.asarray(found.detach() if isinstance(found, torch.Tensor) else found)
        if at == ():
            self.arrays[name] = value.copy()
        else:
            # Parts come in order: of the second axis where the place says so, else of the first.
            axis = int(isinstance(at, tuple))
            known = list(np.moveaxis(self.arrays[name], axis, 0)) if name in self.arrays else []
            self.arrays[name] = np.stack([*known, value], axis=axis)
        return Row(label or name, 0.0, tolerance)

    def count_differences(self, name: str, found: ArrayLike) -> Row:
        self.arrays[name] = np.asarray(found)
        return Row(name, 0.0, 0.0)


def _inputs(case: Case) -> dict[str, np.ndarray]:
    rng, sizes = np.random.default_rng(0), case.sizes

    def normal(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    def real(lengths: tuple[int, ...], frames: int) -> np.ndarray:
        return (np.arange(frames) < np.array(lengths)[:, None]).astype(np.float32)

    features, longest = sizes["input_feats"], sizes["max_seq_len"]
    clips, tested, trained, frames = len(case.database), len(case.test), len(case.train), max(case.test)
    return {
        "config_json": np.array(json.dumps(sizes)),
        "db/text_features": normal(clips, case.sentence),
        "db/motions": normal(clips, longest, features),
        "db/m_lengths": np.array(case.database),
        "db/clip_seq_features": normal(clips, case.tokens, sizes["latent_dim"]),
        "db/train_indexes": np.stack([rng.permutation(clips) for _ in range(clips)]),
        "db/test_indexes": np.stack([rng.permutation(clips) for _ in range(clips)]),
        "query/text_feature": normal(len(case.queries), case.sentence),
        "query/length": np.array(case.queries),
        "test/clip_feat": normal(tested, case.tokens, case.token_width),
        "test/text_feature": normal(tested, case.sentence),
        "test/motion_length": np.array(case.test),
        "test/motion_mask": real(case.test, frames),
        "test/x_t": normal(tested, frames, features),
        "test/timesteps": np.array(case.timesteps),
        "ddim/noise": normal(tested, frames, features),
        "ddim/branch": np.where(np.arange(50) < 42, rng.integers(0, 2, 50), -1),
        "ddim/snap_steps": np.array([0, 7, 48]),
        "train/motion": normal(trained, longest, features) * real(case.train, longest)[..., None],
        "train/motion_length": np.array(case.train),
        "train/motion_mask": real(case.train, longest),
        "train/clip_feat": normal(trained, case.tokens, case.token_width),
        "train/text_feature": normal(trained, case.sentence),
        "train/t": np.array([999, 40, 312])[:trained],
        "train/noise": normal(trained, longest, features),
        "train/cond_type": np.array([99, 1, 10])[:trained],
    }


def _recorder(case: Case) -> _Recorder:
    """With random weights, none of them zero."""
    arrays = _inputs(case)
    torch.manual_seed(0)
    network = ReMoDiffuse(_Recorder(arrays).config)
    with torch.no_grad():
        for weights in network.parameters():
            weights.add_(torch.randn_like(weights), alpha=0.1)
    official = {
        f"model.{name}": weights.numpy() for name, weights in to_official(network.state_dict(), network.config).items()
    }
    arrays |= {f"sd/{name}": weights for name, weights in official.items()}
    arrays["train/grad_names"] = np.array(list(official))
    arrays["train/grad/model.out.weight"] = np.empty(0)
    arrays["train/grad/model.database.motion_pos_embedding"] = np.empty(0)
    return _Recorder(arrays)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_model_of_other_sizes_is_verified(tmp_path: Path, case: Case) -> None:
    recorder = _recorder(case)
    own = _Parity(recorder)
    names = {row.name for row in own.rows()}
    arrays, sizes, batch = recorder.arrays, case.sizes, len(case.test)
    assert arrays["test/retrieved"].shape == (batch, sizes["num_retrieval"])
    kept = -(-sizes["max_seq_len"] // sizes["stride"])
    assert arrays["test/re_motion"].shape == (batch, sizes["num_retrieval"], kept, sizes["latent_dim"])
    projected = "sd/model.text_pre_proj.weight" in arrays
    assert projected == (case.token_width != sizes["text_latent_dim"])

    # The recorded numbers are those of the plain network.
    model = recorder.model()
    text, references = model.encode_text(recorder.tensor("test/clip_feat")), own.references
    mask, x_t = own.mask, recorder.tensor("test/x_t")
    with torch.no_grad():
        for branch, keep_text, keep_references in zip(
            ("both", "text", "retr", "none"), KEEPS_TEXT, KEEPS_REFERENCES, strict=True
        ):
            for place, timestep in enumerate(arrays["test/timesteps"]):
                kept_conditions = torch.full((batch,), keep_text), torch.full((batch,), keep_references)
                plain = model(x_t, torch.full((batch,), int(timestep)), mask, text, references, *kept_conditions)
                torch.testing.assert_close(
                    plain, torch.from_numpy(arrays[f"test/out_{branch}"][place]), atol=1e-4, rtol=1e-4
                )
        coins = np.repeat(np.maximum(arrays["ddim/branch"][::-1], 0)[:, None], batch, axis=1)
        sampled = sample_plainly(
            model, text, references, mask, recorder.tensor("ddim/noise"), coins, own.schedule, own.config.mixture
        )
    assert float(np.abs(sampled.numpy() - arrays["ddim/sample"])[mask.numpy()].max()) < SAMPLES

    path = tmp_path / "parity_other.npz"
    np.savez(path, allow_pickle=False, **arrays)
    rows = verify(path)
    assert {row.name for row in rows} == names
    assert [row for row in rows if not row.ok] == []
    assert main([str(path)]) == 0
