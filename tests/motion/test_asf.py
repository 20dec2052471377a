# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest
from acclaim import as_acclaim
from scipy.spatial.transform import Rotation

from backend.errors import BackendError
from backend.motion.asf import parse_amc, parse_asf
from backend.motion.bvh import parse_bvh
from backend.motion.clip import Motion
from backend.motion.formats import bvh_text
from backend.motion.rotations import forward_kinematics
from backend.motion.skeleton import JOINTS

SKELETON = """# made by hand
:version 1.10
:name arm
:units
  mass 1.0
  length 0.5
  angle deg
:documentation
   two bones
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
  begin
     id 1
     name upper
     direction 2 0 0
     length 1
     axis 0 0 0  XYZ
    dof rx ry rz
    limits (-160.0 20.0)
           (-70.0 70.0)
           (-60.0 70.0)
  end
  begin
     id 2
     name lower
     direction 1 0 0
     length 2
     axis 0 0 90 XYZ
    dof rx
    limits (-10.0 170.0)
  end
  begin
     id 3
     name hand
     direction 0 1 0
     length 0.5
     axis 0 0 0 XYZ
  end
:hierarchy
  begin
    root upper
    upper lower
    lower hand
  end
"""
MOTION = """#!OML:ASF
:FULLY-SPECIFIED
:DEGREES
1
root 0 10 0 0 0 0
upper 0 0 0
lower 0
2
root 0 10 0 0 0 0
upper 0 0 90
lower 0
3
root 0 10 0 0 0 0
upper 90 0 90
lower 0
4
root 1 2 3 0 90 0
upper 0 0 0
lower 90
"""


def test_bones_stand_where_they_should() -> None:
    recording = parse_amc(MOTION, parse_asf(SKELETON), fps=30)
    positions, turns = recording.pose(["root", "upper", "lower", "hand", "hand.end"])
    assert recording.fps == 30
    # Lengths and places of the file are in half inches.
    place = positions * 0.5
    np.testing.assert_allclose(place[0], [[0, 10, 0], [0, 10, 0], [1, 10, 0], [3, 10, 0], [3, 10.5, 0]], atol=1e-12)
    np.testing.assert_allclose(place[1], [[0, 10, 0], [0, 10, 0], [0, 11, 0], [0, 13, 0], [-0.5, 13, 0]], atol=1e-12)
    # About X first, then about Z: the hand, which pointed up, points forward.
    np.testing.assert_allclose(place[2, 4], [0, 13, 0.5], atol=1e-12)
    # The lower bone bends about its own X axis, which lies along the world's Y: from +X towards -Z, and the whole arm
    # turned by 90 degrees about Y points to -Z, so bent it points to -X.
    np.testing.assert_allclose(place[3, 2:], [[1, 2, 2], [-1, 2, 2], [-1, 2.5, 2]], atol=1e-12)
    np.testing.assert_allclose(turns @ turns.transpose(0, 1, 3, 2), np.broadcast_to(np.eye(3), turns.shape), atol=1e-12)


def test_the_same_skeleton_as_bvh_has_the_same_pose() -> None:
    rng = np.random.default_rng(3)
    rotations = Rotation.random(30 * 22, rng=rng).as_quat(scalar_first=True).reshape(30, 22, 4)
    root = rng.standard_normal((30, 3))
    positions = forward_kinematics(rotations, root)
    motion = Motion(
        20.0, positions, rotations.astype(np.float32), root.astype(np.float32), np.zeros((30, 4), np.float32)
    )
    bvh = parse_bvh(bvh_text(motion))
    asf, amc = as_acclaim(bvh, rng)
    recording = parse_amc(amc, parse_asf(asf), bvh.fps)
    for one, other in zip(recording.pose(["root", *JOINTS[1:]]), bvh.pose(JOINTS), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (":hierarchy", ":nothing"),
        ("direction 2 0 0", "direction 2 0"),
        ("length 2", "length nan"),
        ("axis 0 0 90 XYZ", "axis 0 0 90"),
        ("dof rx\n", "dof wx\n"),
        ("lower hand", "lower foot"),
        ("lower hand", "lower upper"),
        ("lower hand\n", "\n"),
        ("order TX", "other TX"),
        ("length 0.5\n  angle", "length 0\n  angle"),
    ],
)
def test_broken_skeletons_are_refused(old: str, new: str) -> None:
    assert old in SKELETON
    with pytest.raises(BackendError) as caught:
        parse_asf(SKELETON.replace(old, new, 1))
    assert caught.value.code == "bad_motion"
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (MOTION, ""),
        ("lower 90", ""),
        ("lower 90", "lower 90 1"),
        ("lower 90", "lower x"),
        ("lower 90", "lower inf"),
        ("lower 90", "tail 90"),
        ("lower 90", "lower 90\nlower 90"),
        ("upper 0 0 90\n", ""),
        ("\n4\n", "\nfour\n"),
    ],
)
def test_broken_motions_are_refused(old: str, new: str) -> None:
    assert old in MOTION
    with pytest.raises(BackendError) as caught:
        parse_amc(MOTION.replace(old, new, 1), parse_asf(SKELETON))
    assert caught.value.code == "bad_motion"
    assert caught.value.remedy


def test_missing_bones_are_named() -> None:
    with pytest.raises(BackendError, match="tail"):
        parse_amc(MOTION, parse_asf(SKELETON)).pose(["root", "tail"])
