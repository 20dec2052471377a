# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the other side."""

from __future__ import annotations

import pytest

from remodiffuse_blender.rig.names import key, mirrored


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("thigh.L", "thigh.R"),
        ("LeftUpLeg", "RightUpLeg"),
        ("mixamorig:LeftArm", "mixamorig:RightArm"),
        ("upperarm_l", "upperarm_r"),
        ("Bip01 L Thigh", "Bip01 R Thigh"),
        ("lThighBend", "rThighBend"),
        ("LEFT_KNEE", "RIGHT_KNEE"),
        ("leftarm", "rightarm"),
        ("左ひざ", "右ひざ"),
        ("DEF-thigh.L.001", "DEF-thigh.R.001"),
        ("Ｌｅｆｔ腕", "Ｒｉｇｈｔ腕"),
    ],
)
def test_the_other_side_is_spelled_as_this_one(left: str, right: str) -> None:
    assert key(mirrored(left)) == key(right)
    assert key(mirrored(right)) == key(left)


@pytest.mark.parametrize("name", ["spine", "Hips", "Bone.001", "頭", "tail_ctrl"])
def test_what_has_no_side_stays(name: str) -> None:
    assert mirrored(name) == name
