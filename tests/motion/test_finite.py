# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever finite numbers come in, finite numbers go out: figures folded onto a point, torn apart, or mere noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.motion.contacts import detect_contacts, held_contacts, lock_feet
from backend.motion.decoding import decoded
from backend.motion.features import FeatureLayout, heading, smooth
from backend.motion.rebuild import rebuilt
from backend.motion.rotations import forward_kinematics, rotations_from_positions
from backend.motion.sequence import looped
from backend.motion.skeleton import INDEX, rest_positions

Array = NDArray[Any]
FPS = 20.0


def _moved(**places: str) -> Array:
    """Standing still, with joints put where other joints are."""
    positions = np.repeat(rest_positions()[None], 40, axis=0)
    for joint, other in places.items():
        positions[:, INDEX[joint]] = positions[:, INDEX[other]]
    return positions


def _without(axis: int) -> Array:
    positions = np.repeat(rest_positions()[None], 40, axis=0)
    positions[..., axis] = 0.0
    return positions


def _noise(scale: float, around: float) -> Array:
    return around * rest_positions() + np.random.default_rng(1).normal(size=(40, 22, 3)) * scale


FIGURES = {
    "a point": np.zeros((40, 22, 3)),
    "one frame": rest_positions()[None],
    "two frames": np.repeat(rest_positions()[None], 2, axis=0),
    "no feet": _moved(left_foot="left_ankle", right_foot="right_ankle"),
    "no shins": _moved(left_knee="left_ankle", right_knee="right_ankle"),
    "no legs": _moved(left_knee="left_hip", left_ankle="left_hip", left_foot="left_hip"),
    "no hips": _moved(left_hip="pelvis", right_hip="pelvis"),
    "no shoulders": _moved(left_collar="spine3", right_collar="spine3"),
    "no arms": _moved(left_elbow="left_shoulder", left_wrist="left_shoulder"),
    "flat": _without(1),
    "thin": _without(0),
    **{f"noise of {scale:g} m": _noise(scale, 0.0) for scale in (1e-12, 1e-3, 1.0, 1e4, 1e30)},
    **{f"trembling by {scale:g} m": _noise(scale, 1.0) for scale in (1e-6, 0.02, 0.1, 0.3)},
}


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.filterwarnings("error")
def test_every_figure_stays_finite(figure: Array, precision: type) -> None:
    positions = figure.astype(precision)
    with np.errstate(invalid="raise", divide="raise", over="raise"):
        made = [detect_contacts(positions, FPS), smooth(positions, 0.7), heading(positions)]
        turns = rotations_from_positions(positions)
        made += [turns, forward_kinematics(turns, positions[:, 0])]
        for share in (0.0, 0.45, 1.0):
            contacts = np.full((len(positions), 4), share)
            made += [held_contacts(positions, contacts, FPS), lock_feet(positions, contacts, FPS)]
            motion = rebuilt(positions, contacts, FPS)
            made += [motion.positions, motion.rotations, motion.root, motion.contacts]
        if len(positions) > 2 and (longer := looped(positions, 80)) is not None:
            made.append(longer)
    assert all(np.isfinite(array).all() for array in made)
    lengths = np.linalg.norm(turns, axis=-1)
    np.testing.assert_allclose(lengths, 1.0, atol=1e-5)


@pytest.mark.parametrize(
    "layout", [FeatureLayout(rotations=False), FeatureLayout(), FeatureLayout(joints=21, fps=12.5)]
)
@pytest.mark.parametrize("scale", [0.0, 1.0, 100.0])
@pytest.mark.filterwarnings("error")
def test_features_of_any_size_become_motion(layout: FeatureLayout, scale: float) -> None:
    rows = np.random.default_rng(2).normal(size=(30, layout.size)) * scale
    with np.errstate(invalid="raise", divide="raise", over="raise"):
        motion = rebuilt(*decoded(layout, rows, 30), FPS)
    for array in (motion.positions, motion.rotations, motion.root, motion.contacts):
        assert np.isfinite(array).all()
