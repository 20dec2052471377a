# SPDX-License-Identifier: GPL-3.0-or-later
"""Few keys stay within the tolerance, and are few."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.motion import quaternions as quat
from remodiffuse_blender.rig.channels import Channel
from remodiffuse_blender.rig.keys import EVERY_FRAME, Interpolation, Keying, between, fitted, handles
from remodiffuse_blender.rig.rotation_modes import in_modes, property_of

Array = NDArray[Any]
FRAMES = np.arange(120.0) + 3.0


def swing(noise: float = 0.0) -> Array:
    """A rotation (T, 4) that swings and twists, with a quick turn."""
    beat = np.linspace(0.0, 9.0, len(FRAMES))
    shake = np.random.default_rng(1).normal(size=len(FRAMES)) * noise
    jerk = 0.8 / (1.0 + np.exp(-8.0 * (beat - 4.0)))
    one = quat.about(np.array([1.0, 0.0, 0.0]), 0.7 * np.sin(beat) + shake)
    return quat.multiply(one, quat.about(quat.unit(np.array([0.2, 1.0, 0.5])), 0.4 * np.cos(1.7 * beat) + jerk))


def turns(mode: str, values: Array) -> Array:
    """Quaternions of what a bone in this mode shows."""
    if mode == "QUATERNION":
        return quat.unit(values)
    if mode == "AXIS_ANGLE":
        return quat.about(quat.unit(values[:, 1:]), values[:, 0])
    result = np.array([1.0, 0.0, 0.0, 0.0])
    for axis in mode:
        result = quat.multiply(quat.about(np.eye(3)["XYZ".index(axis)], values[:, "XYZ".index(axis)]), result)
    return result


@pytest.mark.parametrize("interpolation", list(Interpolation))
@pytest.mark.parametrize("mode", ["QUATERNION", "AXIS_ANGLE", "XYZ", "ZYX"])
@pytest.mark.parametrize("degrees", [0.2, 1.0, 3.0])
def test_rotations_stay_within_the_tolerance(mode: str, interpolation: Interpolation, degrees: float) -> None:
    wanted = swing()
    channel = Channel("arm", property_of(mode), in_modes(wanted[:, None], [mode])[0])
    made = fitted(channel, FRAMES, Keying(interpolation, degrees))
    assert len(made.rows) < (1.0 if degrees < 1.0 else 0.6) * len(FRAMES)
    assert (made.rows[0], made.rows[-1]) == (0, len(FRAMES) - 1)
    shown = turns(mode, between(FRAMES[made.rows], made, FRAMES))
    off = np.degrees(quat.angle(quat.multiply(quat.conjugate(wanted), shown)))
    assert off.max() <= degrees + 1e-6


def test_a_looser_tolerance_needs_fewer_keys_and_curves_fewer_than_lines() -> None:
    channel = Channel("arm", "rotation_quaternion", swing())
    counts = {
        (interpolation, degrees): len(fitted(channel, FRAMES, Keying(interpolation, degrees)).rows)
        for interpolation in Interpolation
        for degrees in (0.2, 1.0, 3.0)
    }
    for interpolation in Interpolation:
        assert counts[interpolation, 0.2] > counts[interpolation, 1.0] > counts[interpolation, 3.0]
    assert counts[Interpolation.BEZIER, 0.2] < counts[Interpolation.LINEAR, 0.2]


def test_noise_costs_keys_but_not_the_tolerance() -> None:
    wanted = swing(noise=0.05)
    made = fitted(Channel("arm", "rotation_quaternion", wanted), FRAMES, Keying(Interpolation.LINEAR, 1.0))
    shown = quat.unit(between(FRAMES[made.rows], made, FRAMES))
    assert np.degrees(quat.angle(quat.multiply(quat.conjugate(wanted), shown))).max() <= 1.0 + 1e-6
    assert len(made.rows) > 0.5 * len(FRAMES)


@pytest.mark.parametrize("interpolation", list(Interpolation))
def test_locations_are_measured_in_the_figures_own_metres(interpolation: Interpolation) -> None:
    beat = FRAMES / 20.0
    way = 100.0 * np.stack((beat, 0.05 * np.sin(3.0 * beat), np.zeros_like(beat)), axis=1)
    made = fitted(Channel("hips", "location", way, unit=100.0), FRAMES, Keying(interpolation, 1.0, 0.01))
    assert len(made.rows) < 0.5 * len(FRAMES)
    assert np.linalg.norm(between(FRAMES[made.rows], made, FRAMES) - way, axis=1).max() <= 1.0 + 1e-9


def test_a_key_on_every_frame_is_just_that() -> None:
    channel = Channel("arm", "rotation_quaternion", swing())
    made = fitted(channel, FRAMES, EVERY_FRAME)
    np.testing.assert_array_equal(made.values, channel.values)
    assert handles(FRAMES, made) is None


@pytest.mark.parametrize("rows", [1, 2])
def test_constants_and_pairs_need_no_fitting(rows: int) -> None:
    channel = Channel("hand", '["IK_FK"]', np.ones((rows, 1)))
    assert len(fitted(channel, FRAMES, Keying(Interpolation.BEZIER, 1.0)).rows) == rows


def test_what_does_not_move_needs_two_keys() -> None:
    still = np.tile([1.0, 0.0, 0.0, 0.0], (len(FRAMES), 1))
    assert len(fitted(Channel("arm", "rotation_quaternion", still), FRAMES, Keying(degrees=0.1)).rows) == 2
