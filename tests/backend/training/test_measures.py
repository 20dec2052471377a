# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest

from backend.motion.clip import Motion
from backend.motion.skeleton import INDEX, rest_positions
from backend.training.exam import RULES, passes, prompts
from backend.training.measures import Measures
from backend.training.quality import Quality, slide

FRAMES = 100


def standing() -> np.ndarray:
    """Arms hanging down."""
    positions = np.repeat(rest_positions()[None], FRAMES, axis=0)
    for side in ("left", "right"):
        shoulder = positions[:, INDEX[f"{side}_shoulder"]]
        positions[:, INDEX[f"{side}_elbow"]] = shoulder - [0, 0.27, 0]
        positions[:, INDEX[f"{side}_wrist"]] = shoulder - [0, 0.52, 0]
    return positions


def walking(speed: float, degrees: float = 0.0) -> np.ndarray:
    """Gliding at `speed` m/s along an arc that turns left by `degrees`."""
    yaw = np.radians(np.linspace(0, degrees, FRAMES))
    steps = np.stack([np.sin(yaw), np.zeros(FRAMES), np.cos(yaw)], axis=-1) * speed / 20
    cos, sin, zero, one = np.cos(yaw), np.sin(yaw), np.zeros(FRAMES), np.ones(FRAMES)
    turn = np.stack([cos, zero, sin, zero, one, zero, -sin, zero, cos], axis=-1).reshape(FRAMES, 3, 3)
    return np.einsum("tij,tkj->tki", turn, standing()) + np.cumsum(steps, axis=0)[:, None]


def waving(side: str) -> np.ndarray:
    positions = standing()
    shoulder = positions[:, INDEX[f"{side}_shoulder"]]
    swing = 0.15 * np.sin(np.arange(FRAMES) * 0.9)[:, None] * [1, 0, 0]
    positions[:, INDEX[f"{side}_elbow"]] = shoulder + [0, 0.27, 0]
    positions[:, INDEX[f"{side}_wrist"]] = shoulder + [0, 0.5, 0] + swing
    return positions


def sidling(speed: float) -> np.ndarray:
    """To the left, facing ahead."""
    return standing() + np.arange(FRAMES)[:, None, None] * [speed / 20, 0, 0]


def lying() -> np.ndarray:
    return standing() @ np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]) + [0, 0.1, 0]


def falling() -> np.ndarray:
    share = np.clip(np.arange(FRAMES) / 60, 0, 1)[:, None, None]
    return (1 - share) * standing() + share * lying()


def twisting() -> np.ndarray:
    """The shoulders turn to and fro by 40 degrees."""
    positions = standing()
    angle = np.radians(40) * np.sin(np.arange(FRAMES) * 0.2)
    for side, sign in (("left", 1), ("right", -1)):
        positions[:, INDEX[f"{side}_shoulder"], 0] = sign * 0.17 * np.cos(angle)
        positions[:, INDEX[f"{side}_shoulder"], 2] = -sign * 0.17 * np.sin(angle)
    return positions


def test_distance_speed_and_turn_of_a_known_path() -> None:
    m = Measures(walking(1.2, degrees=90))
    assert m.turn == pytest.approx(90, abs=3)
    assert m.forward == pytest.approx(1.2 * (FRAMES - 1) / 20, rel=0.02)
    assert abs(m.sideways) < 0.3
    assert m.top_speed == pytest.approx(1.2, rel=0.03)


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        ("walk", walking(1.2), walking(0.0)),
        ("backward", walking(-1.0), walking(1.0)),
        ("run", walking(3.0), walking(1.2)),
        ("turn_left", walking(1.0, 90), walking(1.0, -90)),
        ("turn_right", walking(1.0, -90), walking(1.0, 90)),
        ("wave_right", waving("right"), waving("left")),
        ("wave_left", waving("left"), waving("right")),
        ("idle", standing(), walking(1.0)),
        ("walk_slowly", walking(0.7), walking(1.2)),
        ("walk_fast", walking(1.6), walking(1.1)),
        ("sprint", walking(4.0), walking(2.0)),
        ("side_left", sidling(0.6), walking(0.6)),
        ("side_right", sidling(-0.6), sidling(0.6)),
        ("turn_around", walking(1.0, 180), walking(1.0, 90)),
        ("circle", walking(1.0, 300), walking(1.0, 180)),
        ("raise_right", waving("right"), waving("left")),
        ("lie", lying(), standing()),
        ("fall", falling(), standing()),
        ("sitting", standing() - [0, 0.4, 0], standing()),
        ("crouch_still", standing() - [0, 0.4, 0], standing()),
        ("descend", falling()[:25], standing()),
        ("twist", twisting(), standing()),
        ("walk_and_wave", walking(1.0) + waving("right") - standing(), walking(1.0)),
    ],
)
def test_rules_tell_doing_from_not_doing(rule: str, good: np.ndarray, bad: np.ndarray) -> None:
    assert passes(rule, Measures(good))
    assert not passes(rule, Measures(bad))


def test_a_jump_is_air_under_both_toes() -> None:
    positions = standing()
    positions[40:50, :, 1] += 0.4 * np.sin(np.linspace(0, np.pi, 10))[:, None]
    assert passes("jump", Measures(positions))
    assert not passes("jump_forward", Measures(positions))


def test_every_prompt_of_the_exam_has_a_rule_and_other_words() -> None:
    exam = prompts()
    assert {prompt.rule for prompt in exam} <= set(RULES)
    assert all(prompt.reworded and prompt.plain not in prompt.reworded for prompt in exam)


def test_skating_and_sinking_are_seen() -> None:
    assert Quality.of(walking(1.0)).skate == pytest.approx(1.0, rel=0.01)
    assert Quality.of(standing()).skate == 0
    assert Quality.of(standing() - [0, 0.1, 0]).penetration == 1
    assert Quality.of(walking(1.0)).jerk < 1e-6


def test_slide_is_the_speed_of_toes_that_are_said_to_stand() -> None:
    def motion(positions: np.ndarray, toes: float) -> Motion:
        contacts = np.zeros((FRAMES, 4), np.float32)
        contacts[:, [1, 3]] = toes
        rotations = np.zeros((FRAMES, 22, 4), np.float32)
        single = positions.astype(np.float32)
        return Motion(20.0, single, rotations, single[:, 0], contacts)

    assert slide(motion(walking(0.4), 1.0)) == pytest.approx(0.4, rel=0.01)
    assert slide(motion(walking(0.4), 0.2)) == 0.0
    assert slide(motion(standing(), 1.0)) == 0.0
