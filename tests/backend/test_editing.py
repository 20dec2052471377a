# SPDX-License-Identifier: GPL-3.0-or-later
"""Part of a motion made anew, rows of prompts, and references that the animator chose: with the starter model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from backend import protocol
from backend.errors import BackendError
from backend.generate import Generator
from backend.motion import quaternions as quat
from backend.motion.contacts import foot_slide
from backend.motion.joining import bridge, cut, in_a_row, placed
from backend.motion.skeleton import INDEX, JOINTS
from backend.request import Canvas, Request

if TYPE_CHECKING:
    from backend.motion.clip import Motion

WALK = Request("a person walks forward", 4.0, 3)
ARM = [INDEX[f"left_{joint}"] for joint in ("collar", "shoulder", "elbow", "wrist")]


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.load(device="cpu")


@pytest.fixture(scope="module")
def walk(generator: Generator) -> Motion:
    """Not at the origin, and facing elsewhere."""
    return placed(generator.generate(WALK)[0].motion, 0, 1.1, np.array([2.0, 0.0, -1.0]))


@pytest.fixture(scope="module")
def usual_speed(generator: Generator) -> np.ndarray:
    """The 99th percentile of each joint's speeds (22,) in the library, metres a second."""
    library = generator.libraries[0]
    clips = (library.clip(number).positions for number in library.clips())
    speeds = [np.linalg.norm(np.diff(positions, axis=0), axis=-1) for positions in clips]
    return np.percentile(np.concatenate(speeds), 99, axis=0) * 20.0


def free_frames(frames: int, start: int, stop: int) -> np.ndarray:
    free = np.zeros((frames, len(JOINTS)), np.bool_)
    free[start:stop] = True
    return free


def assert_joined(motion: Motion, frame: int, usual_speed: np.ndarray) -> None:
    """No joint leaves its way by 2 cm between the frame before `frame` and it, unless it does so in the frames beside
    it as well (a hand that waves does); and none is faster there than in the data.
    """
    steps = np.diff(motion.positions, axis=0)
    apart = np.linalg.norm(steps[1:-1] - (steps[:-2] + steps[2:]) / 2.0, axis=-1)
    beside = np.delete(apart[frame - 5 : frame + 2], 3, axis=0).max(axis=0)
    assert (apart[frame - 2] < np.maximum(beside, 0.02)).all()
    near = np.linalg.norm(steps[max(frame - 4, 0) : frame + 4], axis=-1)
    assert (near.max(axis=0) * 20.0 < usual_speed).all()


def toe_slip(motion: Motion, start: int, stop: int) -> float:
    """Mean speed of standing toes, metres a second, from the frame before `start` to the one after `stop`."""
    part = slice(start - 1, stop + 1)
    return foot_slide(motion.positions[part], motion.contacts[part] * [0, 1, 0, 1], 20.0)


def degrees_apart(a: Motion, b: Motion) -> np.ndarray:
    turns = quat.multiply(a.rotations.astype(float), quat.conjugate(b.rotations.astype(float)))
    return np.degrees(quat.angle(turns))


@pytest.mark.parametrize("strength", [1.0, 0.4])
@pytest.mark.parametrize("quality", ["full", "fast"])
def test_only_a_range_of_frames_changes(
    generator: Generator, walk: Motion, usual_speed: np.ndarray, strength: float, quality: str
) -> None:
    free = free_frames(80, 30, 50)
    canvas = Canvas(walk, free)
    request = replace(WALK, seed=9, count=2, strength=strength, quality=quality, canvas=canvas)
    first, second = (take.motion for take in generator.generate(request))
    for motion in (first, second):
        kept = ~free.any(axis=1)
        assert np.linalg.norm(motion.positions - walk.positions, axis=-1)[kept].max() < 0.01
        assert degrees_apart(motion, walk)[kept].max() < 2.0
        assert np.linalg.norm(motion.positions - walk.positions, axis=-1)[~kept].mean() > 0.005
        assert_joined(motion, 30, usual_speed)
        assert_joined(motion, 50, usual_speed)
        assert toe_slip(motion, 30, 50) < 0.03
        assert foot_slide(motion.positions, motion.contacts, 20.0) < 0.02
    assert np.abs(first.positions - second.positions)[~kept].max() > 0.005


def test_only_one_arm_changes(generator: Generator, walk: Motion) -> None:
    free = np.zeros((80, len(JOINTS)), np.bool_)
    free[:, ARM] = True
    request = replace(WALK, prompt="a person waves with the left hand", canvas=Canvas(walk, free))
    take = generator.generate(request)[0]
    apart = degrees_apart(take.motion, walk)
    assert apart[:, ~free[0]].max() < 0.1
    assert np.abs(take.motion.root - walk.root).max() < 1e-5
    assert apart[:, ARM].mean() > 10.0
    assert take.provenance.sampler["changed"]["joints"] == [JOINTS[joint] for joint in ARM]


def test_closer_and_wilder(generator: Generator, walk: Motion) -> None:
    everything = np.ones((80, len(JOINTS)), np.bool_)
    apart = []
    for strength in (0.1, 0.5, 0.9):
        request = replace(WALK, seed=5, strength=strength, canvas=Canvas(walk, everything))
        motion = generator.generate(request)[0].motion
        apart.append(float(np.linalg.norm(motion.positions - walk.positions, axis=-1).mean()))
    assert apart[0] < apart[2]
    assert apart[0] < 0.25  # metres: mostly how far it walks


def test_a_gap_between_two_motions_is_filled(generator: Generator, walk: Motion, usual_speed: np.ndarray) -> None:
    """The second one stands elsewhere and faces elsewhere: the motion in between gets there."""
    before, after = cut(walk, 0, 20), cut(walk, 50, 80)
    after = placed(after, 0, 1.6, before.root[-1] + np.array([0.8, 0.0, 0.9]))
    canvas = in_a_row(before, bridge(before, after, 30), after)
    take = generator.generate(replace(WALK, canvas=Canvas(canvas, free_frames(80, 20, 50))))[0]
    assert np.abs(take.motion.positions[50:] - after.positions).max() < 0.01
    for frame in (20, 50):
        assert_joined(take.motion, frame, usual_speed)
    assert toe_slip(take.motion, 20, 50) < 0.03


def test_a_row_of_prompts_is_one_motion(generator: Generator, usual_speed: np.ndarray) -> None:
    request = Request("a person walks forward", 3.0, 3, 2, then=(("a person sits down", 2.0), ("a person waves", 2.0)))
    takes = generator.generate(request)
    for take in takes:
        assert take.motion.frames == 140
        for join in (60, 100):
            for frame in (join - 8, join + 8):
                assert_joined(take.motion, frame, usual_speed)
            assert toe_slip(take.motion, join - 8, join + 8) < 0.03
        assert foot_slide(take.motion.positions, take.motion.contacts, 20.0) < 0.02
        assert [part["prompt"] for part in take.provenance.sampler["row"]][1:] == [
            "a person sits down",
            "a person waves",
        ]
    again = generator.generate(replace(request, count=1))[0]
    np.testing.assert_allclose(again.motion.positions, takes[0].motion.positions, atol=1e-3)


def test_pinned_and_banned_references(generator: Generator) -> None:
    usual = generator.generate(WALK)[0].provenance.references
    best = (usual[0].library, usual[0].clip)
    without = generator.generate(replace(WALK, banned=(best,)))[0].provenance
    assert best not in [(each.library, each.clip) for each in without.references]
    other = next(n for n in generator.libraries[0].clips() if n not in [each.clip for each in usual])
    pinned = generator.generate(replace(WALK, pinned=((best[0], other),)))[0].provenance
    assert pinned.references[0].clip == other
    with pytest.raises(BackendError, match="in no open library"):
        generator.generate(replace(WALK, pinned=(("nowhere", 1),)))


def test_balance_and_scale_lead_elsewhere(generator: Generator) -> None:
    usual = generator.generate(WALK)[0].motion.positions
    for changed in (replace(WALK, balance=-1.0), replace(WALK, balance=0.7), replace(WALK, scale=0.0)):
        assert np.abs(generator.generate(changed)[0].motion.positions - usual).max() > 1e-3


def test_an_edit_arrives_as_it_was_sent(walk: Motion) -> None:
    import io

    request = replace(
        WALK, pinned=(("starter", 3),), banned=(("own", 1),), strength=0.5, canvas=Canvas(walk, free_frames(80, 3, 9))
    )
    frame = protocol.read(io.BytesIO(protocol.encode_request(4, request)))
    assert frame is not None
    got = protocol.parse_request(frame)
    assert replace(got, canvas=None) == replace(request, canvas=None)
    assert got.canvas is not None
    assert request.canvas is not None
    np.testing.assert_array_equal(got.canvas.free, request.canvas.free)
    np.testing.assert_array_equal(got.canvas.motion.rotations, walk.rotations)


BAD: dict[str, dict[str, Any]] = {
    "balance": {"balance": 2.0},
    "scale": {"scale": -1.0},
    "strength": {"strength": 0.0},
    "row with a bad prompt": {"then": (("  ", 2.0),)},
    "endless row": {"then": (("a person walks", 2.0),) * 20},
}


@pytest.mark.parametrize("fields", BAD.values(), ids=BAD.keys())
def test_bad_requests_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(BackendError):
        replace(WALK, **fields)


def test_a_canvas_of_another_length_is_refused(walk: Motion) -> None:
    with pytest.raises(BackendError, match="another length"):
        replace(WALK, seconds=2.0, canvas=Canvas(walk, free_frames(80, 3, 9)))
    with pytest.raises(BackendError, match="Nothing of the motion"):
        Canvas(walk, np.zeros((80, len(JOINTS)), np.bool_))
