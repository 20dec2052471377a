# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from folders import bvh_folder, walk
from PIL import Image

from backend.motion.skeleton import INDEX, rest_positions
from backend.training.cli import data as command
from backend.training.data.report import write_report
from backend.training.data.sources import SourceClip
from backend.training.figures import Camera, pose_picture, strip

if TYPE_CHECKING:
    from pathlib import Path


def clip(name: str, positions: np.ndarray, captions: tuple[str, ...] = ("a person moves",)) -> SourceClip:
    return SourceClip(name, "", "CC0-1.0", False, positions, captions)


def test_every_fault_is_measured_and_the_worst_come_first(tmp_path: Path) -> None:
    good = np.repeat(rest_positions()[None], 60, axis=0)
    sliding, sunk, shaking, stretched = (good.copy() for _ in range(4))
    sliding[..., 0] += np.linspace(0, 3, 60)[:, None]
    sunk[:, :, 1] -= 0.1
    shaking[::2, INDEX["left_wrist"], 1] += 0.05
    stretched[30:, INDEX["left_wrist"], 0] += 0.02
    clips = {"good": good, "sliding": sliding, "sunk": sunk, "shaking": shaking, "stretched": stretched}
    found = write_report([clip(name, positions) for name, positions in clips.items()], tmp_path / "report", worst=2)
    by_name = {one.clip: one for one in found}
    assert (by_name["good"].skate, by_name["good"].penetration, by_name["good"].jerk) == (0, 0, 0)
    assert by_name["good"].badness == min(one.badness for one in found)
    assert by_name["good"].contact == 1.0
    assert by_name["sliding"].skate == pytest.approx(3 / 59 * 20, rel=1e-3)
    assert by_name["sliding"].contact == 0.0
    assert by_name["sunk"].penetration == 1.0
    assert by_name["shaking"].jerk > 50
    assert by_name["stretched"].bone_change == pytest.approx(0.02, rel=1e-3)
    assert max(one.round_trip for one in found) < 1e-3
    rows = list(csv.DictReader((tmp_path / "report" / "report.csv").open()))
    assert [row["clip"] for row in rows] == [one.clip for one in found]
    assert json.loads((tmp_path / "report" / "report.json").read_text())[0]["clip"] == found[0].clip
    pictures = sorted(path.name for path in (tmp_path / "report").glob("*.png"))
    assert pictures == [f"worst_01_{found[0].clip}.png", f"worst_02_{found[1].clip}.png"]


def test_the_command_reports_a_folder_and_prepares_with_a_report(tmp_path: Path) -> None:
    folder = bvh_folder(tmp_path / "bvh")
    assert command(["report", str(folder), "--output", str(tmp_path / "a"), "--worst", "1"]) == 0
    assert command(["prepare", str(folder), "--output", str(tmp_path / "s.npz"), "--report", str(tmp_path / "b")]) == 0
    assert (tmp_path / "a" / "report.csv").read_text() == (tmp_path / "b" / "report.csv").read_text()
    assert len(list((tmp_path / "a").glob("*.png"))) == 1
    assert len(list((tmp_path / "b").glob("*.png"))) == 3


def test_a_camera_sees_left_right_up_and_depth() -> None:
    front = Camera(np.array([0.0, 1.0, 0.0]), yaw=0.0, rise=0.0, distance=4.0)
    points = np.array([[0, 1, 0], [0.5, 1, 0], [0, 1.5, 0], [0, 1, 1]], dtype=float)
    places, depth = front.seen(points, 400)
    np.testing.assert_allclose(places[0], [200, 200])
    # Somebody who faces the camera has the left hand on its right side.
    np.testing.assert_allclose(places[1:3], [[200 + 400 * 2.0 * 0.5 / 4, 200], [200, 200 - 400 * 2.0 * 0.5 / 4]])
    np.testing.assert_allclose(depth, [4, 4, 4, 3])


def test_left_limbs_are_red_right_ones_blue_and_the_figure_stands_in_the_middle() -> None:
    camera = Camera(np.array([0.0, 0.85, 0.0]), yaw=0.0, distance=4.6)
    pixels = np.asarray(pose_picture(rest_positions(), camera, 240)).astype(int)
    red = np.argwhere(pixels[..., 0] > pixels[..., 2] + 60)
    blue = np.argwhere(pixels[..., 2] > pixels[..., 0] + 60)
    assert len(red) > 300
    assert len(blue) > 300
    # T-pose, facing the camera: mirror images of each other about the middle.
    assert red[:, 1].mean() - 120 == pytest.approx(120 - blue[:, 1].mean(), abs=3)
    assert red[:, 1].min() >= 118
    assert min(red[:, 0].min(), blue[:, 0].min()) > 10
    assert max(red[:, 0].max(), blue[:, 0].max()) < 230


def test_a_strip_shows_moments_of_the_motion(tmp_path: Path) -> None:
    still = strip(np.repeat(walk(60, 1.2)[:1], 60, axis=0), "stands", count=4, columns=4, size=120)
    moving = strip(walk(60, 1.2), "walks", count=4, columns=4, size=120)
    assert still.size == moving.size == (4 * 124 + 4, 40 + 124 + 4)
    tiles = [np.asarray(page)[60:, 4 + 124 * n : 124 * (n + 1)].astype(int) for page in (still, moving) for n in (1, 2)]
    assert np.abs(tiles[0] - tiles[1]).mean() < 0.5  # but for the time
    assert np.abs(tiles[2] - tiles[3]).mean() > 2
    moving.save(tmp_path / "strip.png")
    assert Image.open(tmp_path / "strip.png").size == moving.size
