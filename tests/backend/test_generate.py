# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole pipeline with a real but random network, real text features and a real library."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from gaits import gait_clip
from random_model import CONFIG, save_random_model

from backend.errors import BackendError, CancelledError
from backend.generate import Generator
from backend.library import Library
from backend.library.fit import fitted
from backend.model_folder import load_model
from backend.motion.rotations import forward_kinematics
from backend.motion.skeleton import BONE_LENGTHS, PARENTS
from backend.request import Request

if TYPE_CHECKING:
    from pathlib import Path

    from backend.request import Take
    from backend.text import TextEncoder

REQUEST = Request("a person walks forward", 4.0, seed=3, count=4)


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    save_random_model(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def generator(model_folder: Path, library_file: Path, encoder: TextEncoder) -> Generator:
    return Generator(load_model(model_folder), encoder, [Library.open(library_file)])


def difference(one: Take, other: Take) -> float:
    """Largest distance of a joint, metres."""
    return float(np.abs(one.motion.positions - other.motion.positions).max())


def test_takes_are_sound_motions(generator: Generator) -> None:
    takes = generator.generate(REQUEST)
    assert len(takes) == 4
    for take in takes:
        motion = take.motion
        assert motion.positions.shape == (80, 22, 3)
        assert motion.contacts.shape == (80, 4)
        bones = motion.positions[:, 1:] - motion.positions[:, list(PARENTS[1:])]
        np.testing.assert_allclose(np.linalg.norm(bones, axis=-1), np.tile(BONE_LENGTHS[1:], (80, 1)), atol=1e-4)
        np.testing.assert_allclose(np.linalg.norm(motion.rotations, axis=-1), 1.0, atol=1e-5)
        np.testing.assert_array_equal(forward_kinematics(motion.rotations, motion.root), motion.positions)
        for array in (motion.positions, motion.rotations, motion.root, motion.contacts):
            assert array.dtype == np.float32
            assert np.isfinite(array).all()


def test_the_seed_decides_everything(generator: Generator) -> None:
    first, again, other = (generator.generate(replace(REQUEST, count=1, seed=seed))[0] for seed in (3, 3, 4))
    assert difference(first, again) == 0.0
    assert difference(first, other) > 1e-3
    assert first.provenance == again.provenance


def test_a_take_does_not_depend_on_its_batch(generator: Generator) -> None:
    together = generator.generate(REQUEST)
    for number, take in enumerate(together):
        alone = generator.generate(Request(REQUEST.prompt, REQUEST.seconds, REQUEST.seed + number))[0]
        assert difference(take, alone) == 0.0
        assert take.provenance == alone.provenance


def test_takes_do_not_depend_on_what_was_generated_before(
    generator: Generator, model_folder: Path, library_file: Path, encoder: TextEncoder
) -> None:
    first = generator.generate(REQUEST)[0]
    for change in ({"seconds": 9.0}, {"prompt": "he runs"}, {"seed": 9}):
        generator.generate(replace(REQUEST, **change))
    torch.manual_seed(99)
    assert difference(first, generator.generate(REQUEST)[0]) == 0.0
    fresh = Generator(load_model(model_folder), encoder, [Library.open(library_file)])
    assert difference(first, fresh.generate(REQUEST)[0]) == 0.0


def test_prompt_and_length_choose_the_references(generator: Generator) -> None:
    walking = generator.generate(replace(REQUEST, count=1))[0].provenance
    standing = generator.generate(replace(REQUEST, count=1, prompt="someone just stands there"))[0].provenance
    assert [reference.caption for reference in walking.references] == [
        "a person walks forward",
        "a person walks backward",
    ]
    assert standing.references[0].caption == "a person stands still"
    assert walking.references[0].library == "gaits"
    assert walking.references[0].licence == "CC0-1.0"
    assert walking.references[0].score > walking.references[1].score


def test_text_and_references_both_reach_the_motion(
    generator: Generator, model_folder: Path, encoder: TextEncoder
) -> None:
    save_random_model(model_folder, start_timestep=0)
    libraries = generator.libraries
    one, nothing = (Generator(load_model(model_folder), encoder, found) for found in (libraries, []))
    request = replace(REQUEST, count=1)
    assert difference(one.generate(request)[0], nothing.generate(request)[0]) > 1e-4
    said = nothing.generate(replace(request, prompt="he sits down"))[0]
    assert difference(said, nothing.generate(request)[0]) > 1e-4


def test_an_empty_library_means_no_references_and_a_start_from_noise(
    model_folder: Path, encoder: TextEncoder, tmp_path: Path
) -> None:
    empty = Library.create(tmp_path / "empty.sqlite")
    take = Generator(load_model(model_folder), encoder, [empty]).generate(replace(REQUEST, count=1))[0]
    assert take.provenance.references == ()
    assert take.provenance.sampler["start"] is None


def test_fewer_clips_than_references_are_enough(model_folder: Path, encoder: TextEncoder, tmp_path: Path) -> None:
    with Library.create(tmp_path / "one.sqlite") as library:
        library.add(gait_clip("a person walks forward"))
        library.index(encoder)
        take = Generator(load_model(model_folder), encoder, [library]).generate(replace(REQUEST, count=1))[0]
    assert len(take.provenance.references) == 1


def test_takes_start_from_different_references_that_fit_as_well(
    model_folder: Path, encoder: TextEncoder, tmp_path: Path
) -> None:
    with Library.create(tmp_path / "walks.sqlite") as library:
        for frames in (76, 78, 80, 82):
            library.add(gait_clip("a person walks forward", frames))
        library.add(gait_clip("a person stands still", 80))
        library.index(encoder)
        takes = Generator(load_model(model_folder), encoder, [library]).generate(replace(REQUEST, count=16))
    starts = {take.provenance.sampler["start"]["clip"] for take in takes}
    assert starts == {1, 2, 3, 4}
    assert len({take.provenance.references for take in takes}) == 1


def test_starting_from_a_reference_leaves_out_the_noisier_steps(
    model_folder: Path, library_file: Path, encoder: TextEncoder
) -> None:
    steps = {}
    for timestep in (0, 500, 1):
        save_random_model(model_folder, start_timestep=timestep)
        told: list[tuple[str, int, int]] = []
        generator = Generator(load_model(model_folder), encoder, [Library.open(library_file)])
        generator.generate(REQUEST, lambda *step, told=told: told.append(step))
        steps[timestep] = {total for stage, _, total in told if stage == "sampling"}
    assert steps == {0: {8}, 500: {5}, 1: {1}}


def test_progress_tells_every_step_and_can_cancel(generator: Generator) -> None:
    told: list[tuple[str, int, int]] = []
    generator.generate(REQUEST, lambda *step: told.append(step))
    stages = list(dict.fromkeys(stage for stage, _, _ in told))
    assert stages == ["text", "retrieval", "conditions", "sampling", "motion"]
    steps = [step for stage, step, _ in told if stage == "sampling"]
    assert steps == list(range(len(steps)))

    def cancel(stage: str, step: int, steps: int) -> None:
        if (stage, step) == ("sampling", 2):
            raise CancelledError

    with pytest.raises(CancelledError):
        generator.generate(REQUEST, cancel)
    assert difference(generator.generate(REQUEST)[0], generator.generate(REQUEST)[0]) == 0.0


def test_a_model_of_short_clips_refuses_long_ones_and_cuts_references(
    model_folder: Path, library_file: Path, encoder: TextEncoder
) -> None:
    save_random_model(model_folder, config=replace(CONFIG, max_frames=40))
    generator = Generator(load_model(model_folder), encoder, [Library.open(library_file)])
    assert generator.generate(Request("he runs", 2.0))[0].motion.frames == 40
    with pytest.raises(BackendError, match="at most 2 seconds"):
        generator.generate(Request("he runs", 2.1))


@torch.no_grad()
def test_a_network_without_training_gives_a_motion_or_a_clear_error(generator: Generator) -> None:
    output = generator.model.network.denoiser.output
    output.weight.mul_(1e5)
    large = generator.with_sampler(generator.model.card.sampler)  # whose layers are packed now
    assert np.isfinite(large.generate(REQUEST)[0].motion.positions).all()
    output.weight.mul_(1e30)
    generator = generator.with_sampler(generator.model.card.sampler)
    with pytest.raises(BackendError) as caught:
        generator.generate(REQUEST)
    assert caught.value.code == "bad_model"


def test_unusable_devices_and_missing_models_are_named(model_folder: Path, tmp_path: Path) -> None:
    for device in ("cuda:7", "toaster"):
        with pytest.raises(BackendError, match=device):
            Generator.load(model_folder, [], device)
    with pytest.raises(BackendError, match="nowhere"):
        Generator.load(tmp_path / "nowhere")
    with pytest.raises(BackendError, match="no library"):
        Generator.load(model_folder, [tmp_path / "nothing.sqlite"])


def test_the_library_in_the_models_folder_is_the_default(
    model_folder: Path, library_file: Path, encoder: TextEncoder
) -> None:
    assert Generator.load(model_folder, device="cpu").libraries == []
    library_file.rename(model_folder / "library.sqlite")
    generator = Generator.load(model_folder, device="cpu")
    assert [library.name for library in generator.libraries] == ["gaits"]
    assert (generator.device, generator.model_name) == ("cpu", "random")


@pytest.mark.parametrize("frames", [16, 60, 72, 80, 96, 150, 196])
def test_fitted_clips_have_the_wanted_length_and_a_bounded_speed(frames: int) -> None:
    clip = gait_clip("a person walks forward", 80)
    positions, contacts = fitted(clip.positions, clip.contacts, frames)
    assert (positions.shape, contacts.shape) == ((frames, 22, 3), (frames, 4))
    step = np.diff(positions[:, 0, 2])
    moving = step[step > 1e-5] / np.diff(clip.positions[:2, 0, 2])
    assert moving.min() > 0.2 and moving.max() < 1.251
    np.testing.assert_allclose(positions[0], clip.positions[0], atol=1e-5)
    if 80 / 1.25 <= frames <= 80 * 1.25:
        np.testing.assert_allclose(positions[-1], clip.positions[-1], atol=1e-5)
    if frames == 80:
        np.testing.assert_array_equal(positions, clip.positions)


def test_fast_takes_are_other_takes_in_fewer_steps(generator: Generator) -> None:
    told: list[tuple[str, int, int]] = []
    fast = replace(REQUEST, quality="fast")
    takes = generator.generate(fast, lambda *step: told.append(step))
    steps = {total for stage, _, total in told if stage == "sampling"}
    assert steps == {takes[0].provenance.sampler["steps"]}
    assert takes[0].provenance.sampler["quality"] == "fast"
    assert difference(takes[0], generator.generate(REQUEST)[0]) > 1e-6
    for number, take in enumerate(takes):
        alone = generator.generate(replace(fast, seed=REQUEST.seed + number, count=1))[0]
        assert difference(take, alone) == 0.0
