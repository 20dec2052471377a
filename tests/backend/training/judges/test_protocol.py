# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's protocol from end to end, on small stand-ins of all official files: checkpoint, database, data set,
evaluators, vocabulary."""

from __future__ import annotations

import json
import math
import shutil
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
import torch
from guo_files import evaluators, write_vocabulary
from official_files import checkpoint, database, random_tower, write_statistics
from official_files import write_vocabulary as write_clip_vocabulary

from backend.commands.library import main as library
from backend.commands.model import main as model
from backend.errors import BackendError
from backend.model import ModelConfig, ReMoDiffuse
from backend.model.importer import FAMILIES
from backend.training.evaluation import main
from backend.training.judges.cases import Caption, read_trials
from backend.training.judges.guo import GuoEvaluator, GuoJudge
from backend.training.judges.measures import matching_score
from backend.training.judges.words import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LONGEST = 24
CAPTIONS = (
    ("a person walks forward", "a/DET person/NOUN walk/VERB forward/ADV"),
    ("a man jumps", "a/DET man/NOUN jump/VERB"),
    ("a person kicks slowly", "a/DET person/NOUN kick/VERB slowly/ADV"),
)


class Release(NamedTuple):
    """Where the stand-ins lie: the data set, and the model that was imported from its checkpoint and database."""

    data: Path
    model: Path
    features: int


def write_trials(folder: Path, features: int, count: int = 33) -> Path:
    """Motions of 16 to 29 frames; the tags of KIT-ML's stand behind the captions, the others' in files of their own."""
    folder.mkdir(parents=True)
    write_statistics(folder, features)
    mean, deviation = np.load(folder / "mean.npy"), np.load(folder / "std.npy")
    for name in ("motions", "texts", "tokens"):
        (folder / name).mkdir()
    rng = np.random.default_rng(features)
    for number in range(count):
        rows = mean + deviation * rng.standard_normal((16 + number % 14, features))
        np.save(folder / "motions" / f"{number:06}.npy", rows.astype(np.float32))
        lines = [CAPTIONS[number % 3], CAPTIONS[(number + 1) % 3]]
        texts = [text if features == 263 else f"{text}#{words}#0.0#0.0" for text, words in lines]
        if features == 263:
            (folder / "tokens" / f"{number:06}.txt").write_text("\n".join(words for _, words in lines))
        (folder / "texts" / f"{number:06}.txt").write_text("\n".join(texts) + "\n")
    (folder / "test.txt").write_text("\n".join(f"{number:06}" for number in range(count)) + "\n")
    return folder


@pytest.fixture(scope="module", params=[263, 251], ids=["t2m", "kit"])
def release(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Release:
    features, root = request.param, tmp_path_factory.mktemp("release")
    sizes = ModelConfig(
        features=features,
        max_frames=LONGEST,
        width=64,
        layers=1,
        feedforward_width=48,
        time_width=40,
        text_width=32,
        text_layers=1,
        text_feedforward_width=24,
        reference_motion_layers=1,
        reference_text_layers=1,
        reference_feedforward_width=48,
        reference_token_width=64,
        mixture=FAMILIES[features].mixture,
    )
    torch.manual_seed(0)
    network = ReMoDiffuse(sizes)
    with torch.no_grad():
        network.denoiser.output.weight.normal_(std=0.02)
    torch.save(checkpoint(network, random_tower()), root / "latest.pth")
    data = write_trials(root / "data" / "datasets" / "set", features)
    folder = root / "model"
    assert model(["import", str(root / "latest.pth"), "--stats", str(data), "--output", str(folder)]) == 0
    (root / "latest.pth").unlink()
    write_clip_vocabulary(folder)
    arrays = database([LONGEST, 16, 20], [text for text, _ in CAPTIONS], features, frames=LONGEST, width=64)
    np.savez(root / "text_train.npz", **arrays)
    assert library(["import", "official", str(root / "text_train.npz"), "--model", str(folder)]) == 0
    (root / "data" / "evaluators" / "set").mkdir(parents=True)
    small = evaluators(features, movement=16, words=12, text=8, motion=10, embedding=6)
    torch.save(small, root / "data" / "evaluators" / "set" / "finest.tar")
    write_vocabulary(root / "data" / "glove", 12, protocol=2 if features == 263 else 4)
    return Release(data, folder, features)


def judged(release: Release, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, dict[str, float]]:
    capsys.readouterr()
    options = ["--model", str(release.model), "--quality", "fast", "--json"]
    assert main(["protocol", str(release.data), *options, *words]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_whole_protocol_on_official_files(release: Release, capsys: pytest.CaptureFixture[str]) -> None:
    """As often as the paper for one of the two."""
    replications = "20" if release.features == 251 else "2"
    words = ("--replications", replications, "--repeated-texts", "2", "--generations", "3")
    found = judged(release, capsys, *words)
    measures = {"R-precision 1", "R-precision 2", "R-precision 3", "matching score", "diversity"}
    assert found.keys() == measures | {f"real {name}" for name in measures} | {"FID", "multimodality"}
    for row in found.values():
        assert math.isfinite(row["mean"])
        assert 0 <= row["half_width"] < math.inf
    # Every replication samples anew, and picks captions anew.
    for name in ("matching score", "real matching score", "FID", "multimodality"):
        assert found[name]["half_width"] > 0
    assert found["FID"]["mean"] > 0 < found["multimodality"]["mean"]
    assert found["R-precision 1"]["mean"] <= found["R-precision 2"]["mean"] <= found["R-precision 3"]["mean"]


def test_replications_repeat_and_the_data_are_judged_as_by_hand(
    release: Release, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--replications", "1", "--repeated-texts", "0")
    found = judged(release, capsys, *words)
    assert judged(release, capsys, *words) == found
    assert "multimodality" not in found
    assert found["FID"]["half_width"] is None

    # The same draws of captions, seeds and windows.
    trials = read_trials(release.data, tagged=True)
    assert [len(case.captions) for case in trials.cases] == [2] * 33
    assert trials.cases[1].captions[0] == Caption(CAPTIONS[1][0], tuple(CAPTIONS[1][1].split()))
    root = release.data.parents[1]
    judge = GuoJudge(
        GuoEvaluator.load(root / "evaluators" / "set" / "finest.tar"), Vocabulary.load(root / "glove"), trials, LONGEST
    )
    rng = np.random.default_rng(np.random.SeedSequence(0, spawn_key=(1,)))
    captions = [case.captions[rng.integers(2)] for case in trials.cases]
    rng.integers(0, 2**30, 33)
    motions = []
    for case in trials.cases:
        first = rng.integers(0, len(case.rows) - LONGEST + 1) if len(case.rows) > LONGEST else 0
        motions.append(case.rows[first : first + LONGEST])
    expected = matching_score(judge.embed_texts(captions), judge.embed(motions, [len(rows) for rows in motions]))
    assert found["real matching score"]["mean"] == pytest.approx(expected, rel=1e-6)


CUT = b"\x93NUMPY\x01\x00v\x00{'descr'"
DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no list": (lambda data: (data / "test.txt").unlink(), r"test\.txt"),
    "an empty list": (lambda data: (data / "test.txt").write_text("\n"), "no captioned motion"),
    "too few": (lambda data: (data / "test.txt").write_text("000000\n000001\n"), "at least 32"),
    "another place": (lambda data: (data / "test.txt").write_text("../../x\n"), "no motion"),
    "no motion": (lambda data: (data / "motions" / "000003.npy").unlink(), "000003"),
    "a cut motion": (
        lambda data: (data / "motions" / "000003.npy").write_bytes(CUT),
        "000003",
    ),
    "an archive": (lambda data: (data / "motions" / "000003.npy").write_bytes(b"PK\x03\x04"), "000003"),
    "no number": (lambda data: np.save(data / "motions" / "000003.npy", np.full((20, 263), np.nan)), "not finite"),
    "other features": (lambda data: np.save(data / "motions" / "000003.npy", np.zeros((20, 251))), "251, 263"),
    "no texts": (lambda data: (data / "texts" / "000003.txt").unlink(), "000003"),
    "fewer tags": (lambda data: (data / "tokens" / "000003.txt").write_text("a/DET\n"), "1 lines for 2"),
    "no tags": (lambda data: [each.unlink() for each in data.glob("tokens/*")], "no tagged words"),
    "no statistics": (lambda data: (data / "mean.npy").unlink(), "statistics"),
    "no evaluators": (lambda data: (data.parents[1] / "evaluators" / "set" / "finest.tar").unlink(), r"finest\.tar"),
    "no vocabulary": (lambda data: (data.parents[1] / "glove" / "our_vab_idx.pkl").unlink(), "our_vab_idx"),
}


@pytest.mark.parametrize("release", [263], indirect=True, ids=["t2m"])
@pytest.mark.parametrize(("damage", "words"), DAMAGES.values(), ids=DAMAGES)
def test_files_that_cannot_be_used_are_told_of(
    release: Release, tmp_path: Path, damage: Callable[[Path], object], words: str
) -> None:
    data = tmp_path / "data" / "datasets" / "set"
    shutil.copytree(release.data.parents[1], tmp_path / "data")
    damage(data)
    with pytest.raises(BackendError, match=words) as caught:
        main(["protocol", str(data), "--model", str(release.model), "--quality", "fast", "--replications", "1"])
    assert caught.value.remedy


def test_what_does_not_belong_together_is_refused(release: Release, tmp_path: Path) -> None:
    other = write_trials(tmp_path / "data" / "datasets" / "set", 514 - release.features)
    beside = release.data.parents[1]
    words = ["--evaluator", str(beside / "evaluators" / "set" / "finest.tar"), "--glove", str(beside / "glove")]
    with pytest.raises(BackendError, match=f"makes {release.features} features") as caught:
        main(["protocol", str(other), "--model", str(release.model), *words])
    assert caught.value.remedy
    for nonsense in (["--replications", "0"], ["--repeated-texts", "-1"], ["--generations", "0"]):
        with pytest.raises(BackendError, match="nothing to repeat"):
            main(["protocol", str(release.data), *nonsense])


def test_captions_of_parts_and_tags_behind_captions(tmp_path: Path) -> None:
    data = write_trials(tmp_path / "set", 251, count=2)
    lines = [
        "a man jumps#a/DET man/NOUN#0.0#0.0",
        "he waves#he/PRON wave/VERB#2.0#4.5",
        "no tags",
        "b#b/NOUN#nan#nan",
        "",
    ]
    (data / "texts" / "000000.txt").write_text("\n".join(lines) + "\n")
    case = read_trials(data, tagged=True).cases[0]
    assert case.captions == [Caption("a man jumps", ("a/DET", "man/NOUN")), Caption("b", ("b/NOUN",))]
    untagged = read_trials(data, tagged=False).cases[0]
    assert [each.text for each in untagged.captions] == ["a man jumps", "no tags", "b"]
