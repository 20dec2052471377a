# SPDX-License-Identifier: GPL-3.0-or-later
"""Official files of full size, with random numbers in them, from import to motion.

What the pipeline makes is compared with the method done by hand on the files themselves.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from gaits import gait_clip
from official_files import checkpoint, database, random_official, random_tower, write_statistics, write_vocabulary

from backend.commands.library import main as library
from backend.commands.model import main as model
from backend.diffusion import Schedule, sample, take_coins, take_noise
from backend.errors import BackendError
from backend.generate import Generator
from backend.library import Library
from backend.library.retrieval import choose, hybrid_scores
from backend.model_card import read_card
from backend.motion.decoding import decoded
from backend.motion.rebuild import rebuilt
from backend.motion.skeleton import BONE_LENGTHS, PARENTS
from backend.request import Request

ROOT = Path(__file__).parents[2]
REQUEST = Request("a person walks and waves", 1.2, seed=4, count=2)
LENGTHS = [15, 24, 40, 196, 100, 17]


class Official(NamedTuple):
    """A model's folder as the commands make it, and what went in."""

    folder: Path
    features: int
    arrays: dict[str, np.ndarray]
    statistics: Path

    @property
    def frames(self) -> int:
        """Of REQUEST, at the data set's own rate: 20 a second, or 12.5."""
        return {263: 24, 251: 15}[self.features]


@pytest.fixture(scope="session", params=[263, 251], ids=["t2m", "kit"])
def official(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Official:
    features = request.param
    source = tmp_path_factory.mktemp("release")
    network = random_official(features)
    with torch.no_grad():
        network.denoiser.output.weight.mul_(0.02)  # else predictions grow from step to step
    content = checkpoint(network, random_tower())
    assert len(content["state_dict"]) == 542
    torch.save(content, source / "latest.pth")
    del network, content
    statistics = write_statistics(source / "stats", features)
    folder = source / "model"
    assert model(["import", str(source / "latest.pth"), "--stats", str(statistics), "--output", str(folder)]) == 0
    (source / "latest.pth").unlink()
    write_vocabulary(folder)

    arrays = database(LENGTHS, [f"caption {number}" for number in range(len(LENGTHS))], features)
    np.savez(source / "text_train.npz", **arrays)
    # It finds the model beside it.
    assert library(["import", "official", str(source / "text_train.npz")]) == 0
    return Official(folder, features, arrays, statistics)


@pytest.fixture(scope="session")
def generator(official: Official) -> Generator:
    return Generator.load(official.folder, device="cpu")


def test_a_database_without_its_model_is_told(official: Official, tmp_path: Path) -> None:
    np.savez(tmp_path / "text_train.npz", motions=official.arrays["motions"])
    with pytest.raises(BackendError, match="No imported models") as caught:
        library(["import", "official", str(tmp_path / "text_train.npz")])
    assert "--model" in caught.value.remedy
    assert [file.name for file in tmp_path.iterdir()] == ["text_train.npz"]


def test_the_card_says_what_is_known(official: Official) -> None:
    card = read_card(official.folder / "card.toml")
    assert card.encoder == "clip-vit-b-32"
    assert card.layout.size == official.features
    assert card.licence == "LicenseRef-S-Lab-1.0"
    assert (card.layout.joints, card.layout.fps) == {263: (22, 20.0), 251: (21, 12.5)}[official.features]
    assert card.sampler.start_timestep == 0


def test_takes_are_those_of_the_method_done_by_hand(official: Official, generator: Generator) -> None:
    takes = generator.generate(REQUEST)
    assert len(takes) == 2

    loaded, arrays = generator.model, official.arrays
    config, network, frames = loaded.card.config, loaded.network, official.frames
    prompt = generator.encoder.encode([REQUEST.prompt])
    scores = hybrid_scores(prompt.sentence[0].numpy(), arrays["text_features"], frames, LENGTHS)
    rows = choose(scores, range(len(LENGTHS)), 2)
    assert [reference.clip - 1 for reference in takes[0].provenance.references] == rows
    assert [reference.caption for reference in takes[0].provenance.references] == [f"caption {row}" for row in rows]

    with torch.no_grad():
        references = network.encode_references(
            torch.from_numpy(arrays["motions"][rows])[None],
            torch.tensor([LENGTHS[row] for row in rows])[None],
            torch.from_numpy(arrays["clip_seq_features"][rows]).float()[None],
        )
        conditions = network.denoiser.condition(network.encode_text(prompt.tokens), references)
        schedule = Schedule.sampling(config.diffusion)
        for number, take in enumerate(takes):
            seed = REQUEST.seed + number
            normalised = sample(
                network.denoiser,
                conditions,
                torch.ones(1, frames, dtype=torch.bool),
                torch.from_numpy(take_noise(seed, frames, config.features))[None],
                take_coins([seed], len(schedule)),
                schedule,
                config.mixture,
            )[0]
            mean, deviation = (np.load(official.statistics / f"{name}.npy") for name in ("mean", "std"))
            motion = rebuilt(*decoded(loaded.card.layout, normalised.double().numpy() * deviation + mean, 24), 20)
            np.testing.assert_allclose(take.motion.positions, motion.positions, atol=5e-3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU here")
def test_on_a_gpu_takes_are_the_same(official: Official, generator: Generator) -> None:
    on_gpu = Generator.load(official.folder, device="cuda").generate(REQUEST)
    for one, other in zip(on_gpu, generator.generate(REQUEST), strict=True):
        assert np.linalg.norm(one.motion.positions - other.motion.positions, axis=-1).mean() < 0.01


def test_features_go_on_behind_the_end_as_the_official_code_samples_them(
    official: Official, generator: Generator
) -> None:
    """Whole clips of 196 frames with a mask: what the paper's evaluators see behind a motion's end."""
    request, frames = replace(REQUEST, quality="fast"), official.frames
    alone, near, whole = (generator.features(request, frames, beyond) for beyond in (0, 3, 196))
    sizes = [(2, rows, official.features) for rows in (frames, frames + 3, 196)]
    assert [each.shape for each in (alone, near, whole)] == sizes
    np.testing.assert_allclose(near[:, :frames], alone, atol=2e-3)
    np.testing.assert_allclose(whole[:, : frames + 3], near, atol=2e-3)
    # They are what takes are decoded from.
    motion = rebuilt(*decoded(generator.model.card.layout, alone[0].astype(float), 24), 20)
    np.testing.assert_allclose(generator.generate(request)[0].motion.positions, motion.positions, atol=1e-5)


def test_takes_are_sound_motions_of_the_wanted_length(generator: Generator) -> None:
    take = generator.generate(Request("he jumps", 0.8))[0]
    assert take.motion.fps == 20
    assert take.motion.positions.shape == (16, 22, 3)
    assert take.motion.contacts.shape == (16, 4)
    bones = take.motion.positions[:, 1:] - take.motion.positions[:, list(PARENTS[1:])]
    np.testing.assert_allclose(np.linalg.norm(bones, axis=-1), np.tile(BONE_LENGTHS[1:], (16, 1)), atol=1e-3)
    assert take.provenance.licence == "LicenseRef-S-Lab-1.0"
    assert take.provenance.sampler["steps"] == 50


def test_libraries_without_official_features_are_refused(official: Official, tmp_path: Path) -> None:
    with Library.create(tmp_path / "mine.sqlite") as mine:
        mine.add(gait_clip("a person walks forward"))
    with pytest.raises(BackendError) as caught:
        Generator.load(official.folder, [official.folder / "library.sqlite", tmp_path / "mine.sqlite"])
    assert caught.value.code == "library_unsuitable"
    assert "mine" in caught.value.message


def test_the_library_can_be_searched(official: Official, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["search", "he walks", str(official.folder / "library.sqlite"), "--model", str(official.folder)]
    assert library([*words, "--count", "3"]) == 0
    assert capsys.readouterr().out.count("caption") == 3


def test_the_command_line_generates(official: Official, tmp_path: Path) -> None:
    words = ["he walks", "--seconds", "0.8", "--model", str(official.folder), "--output", str(tmp_path / "take.npz")]
    command = [sys.executable, "-m", "backend", "generate", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    provenance = json.loads(str(np.load(tmp_path / "take.npz")["provenance"]))
    assert provenance[0]["references"][0]["source"].startswith("text_train.npz, entry ")
