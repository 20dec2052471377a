# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import csv
import random
from pathlib import Path

import numpy as np
import pytest
from gaits import gait

from backend.library.opposites import contradictions, sides
from backend.training.data import augment
from backend.training.data.captions import action_of, count_texts, event_texts, sentence, swap_sides, travel_texts
from backend.training.data.events import _RULES

MOCAP = Path(__file__).parents[4] / "shared" / "data" / "mocap"
WALK = gait(80, speed=1.2, swing=0.5)[0].astype(np.float64)


def test_mirroring_exchanges_the_words_for_sides() -> None:
    text = "turns left and waves with the right hand, clockwise"
    assert swap_sides(text) == "turns right and waves with the left hand, counterclockwise"
    assert swap_sides(swap_sides(text)) == text


def test_every_event_that_can_be_found_has_words() -> None:
    assert all(event_texts(event) for event in _RULES)


@pytest.mark.parametrize(
    ("motion", "kind", "plain"),
    [
        (WALK, "forward", "walks forward"),
        (augment.reversed_in_time(WALK), "backward", "walks backward"),
        (augment.curved(WALK, 100), "turn_left", "walks forward and turns left"),
        (augment.curved(WALK, -100), "turn_right", "walks forward and turns right"),
        (gait(80, 3.0, 0.9)[0].astype(np.float64), "run", "runs forward"),
        (gait(80, 0.0, 0.0)[0].astype(np.float64), "still", "stands still"),
    ],
)
def test_phrases_say_what_the_path_does(motion: np.ndarray, kind: str, plain: str) -> None:
    seen = set()
    for seed in range(20):
        found, phrases = travel_texts(motion, 4, random.Random(seed))
        assert found == kind
        seen.update(phrases)
    assert any(plain.split(" and ")[-1] in phrase for phrase in seen)
    assert not [phrase for phrase in seen if contradictions(sides(plain), sides(phrase))]


def test_steps_and_repetitions_are_counted() -> None:
    _, phrases = travel_texts(WALK, 4, random.Random(0))
    assert phrases[-1] == "takes seven steps forward"  # in 4 s, at half a second a step, starting side by side
    hops = gait(120, 0.0, 0.0)[0].astype(np.float64)
    for start in (20, 60, 90):
        hops[start : start + 10, :, 1] += 0.4 * np.sin(np.linspace(0, np.pi, 10))[:, None]
    assert count_texts("jump_repeatedly", hops) == ("jumps three times",)
    assert count_texts("sit_down", hops) == ()


def test_nobody_lowers_himself_as_themselves() -> None:
    rng = random.Random(0)
    subjects = {sentence("lowers themselves onto a seat", rng).split(" lowers")[0] for _ in range(50)}
    assert subjects.isdisjoint({"he", "she", "a man", "a woman"})


@pytest.mark.skipif(not MOCAP.exists(), reason="the shared motion data is not beside the repository")
def test_every_label_of_the_free_sets_has_sentences() -> None:
    with (MOCAP / "cmu" / "index.csv").open(newline="") as handle:
        labels = {row["description"] for row in csv.DictReader(handle)}
    assert not [label for label in labels if action_of("", label) is None]
