# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from backend.errors import BackendError
from backend.library import Library
from backend.model_card import SamplerConfig
from backend.model_folder import load_model
from backend.training.data.prepare import TrainingSet
from backend.training.publish import (
    LICENCE,
    SOURCE,
    Wanted,
    export_model,
    plan,
    read_results,
    record_results,
    starter_library,
    training_library,
)
from backend.training.trainer import Trainer

if TYPE_CHECKING:
    from backend.training.config import RunConfig


@pytest.fixture
def published(config: RunConfig, tmp_path: Path) -> Path:
    """A model folder made from a run of a few iterations."""
    run = Trainer(config, tmp_path / "run")
    run.run(last=4)
    export_model(config, run.checkpoint, tmp_path / "model", SamplerConfig(start_timestep=300))
    return tmp_path / "model"


def test_the_card_tells_how_long_it_was_trained(published: Path) -> None:
    card = load_model(published).card
    assert card.training["iterations"] == 4
    assert card.licence == "CC0-1.0"
    assert card.sampler.start_timestep == 300


def test_every_kind_of_motion_is_planned_for(config: RunConfig) -> None:
    data = TrainingSet.load(Path(config.data))
    wanted = plan(data)
    assert {one.kind for one in wanted} == set(data.groups)
    assert all(caption.startswith("a person ") for one in wanted for caption in one.captions)


def test_the_starter_library_holds_only_what_the_model_sampled_and_comes_out_the_same_again(
    config: RunConfig, published: Path, tmp_path: Path
) -> None:
    data = TrainingSet.load(Path(config.data))
    training_library(data, tmp_path / "references.sqlite")
    wanted = [
        Wanted("marching", ("a person marches on the spot",), 2.0),
        # No gait kicks that high, so this one is left out.
        Wanted("kick_right", ("a person kicks with the right leg",), 2.0),
        Wanted("striding", ("a person runs forward",), 3.0),
    ]
    digests = []
    for _ in range(2):
        starter_library(published, tmp_path / "references.sqlite", wanted, 2, lambda done, total: None)
        with Library.open(published / "library.sqlite") as library:
            clips = [library.clip(number) for number in library.clips()]
        assert [(clip.source, clip.licence, clip.frames) for clip in clips] == [
            (SOURCE, LICENCE, 40),
            (SOURCE, LICENCE, 60),
        ]
        digests.append((published / "library.sqlite").read_bytes())
    assert digests[0] == digests[1]


def test_results_of_the_exam_go_into_the_card(published: Path) -> None:
    means = {"plain_mean": 0.91, "reworded_mean": 0.8, "jerk": 50.0}
    full = {"way": "full", "plain": {"walk": 1.0, "bow": 0.9}, "reworded": {"walk": 1.0, "bow": 0.25}} | means
    record_results(published, [full, full | {"way": "no library", "jerk": 60.0}])
    card = load_model(published).card
    assert (card.training["reliable_prompts"], card.training["weak_prompts"]) == (["walk"], ["bow"])
    assert card.training["exam"] == {"full": means, "no_library": means | {"jerk": 60.0}}


@pytest.mark.parametrize(
    "content", [b"", b"junk", b"\xff\xfe", b"{}", b'[{"way": "noise"}]', b'[{"way": "full"}]', b"[1]"]
)
def test_results_of_something_else_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "results.json").write_bytes(content)
    with pytest.raises(BackendError) as caught:
        read_results(tmp_path / "results.json")
    assert caught.value.remedy
