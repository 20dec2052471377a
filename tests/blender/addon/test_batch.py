# SPDX-License-Identifier: GPL-3.0-or-later
"""Many prompts for many armatures, as `blender -b FILE.blend --command remodiffuse PROMPTS.csv` does it."""

from __future__ import annotations

import csv
import importlib
from typing import TYPE_CHECKING

import bpy
import pytest
from scenes import Rna, ops

if TYPE_CHECKING:
    from pathlib import Path

ROWS = """name,prompt,seconds,seed,armature,frame
walk,a person walks forward,2,1,Hero,1
jump,a person jumps,2,2,Friend,11
nobody,a person waves,2,3,Ghost,1
"""


@pytest.fixture
def batch(addon: str, preferences: Rna) -> Rna:
    return importlib.import_module(f"{addon}.batch")


@pytest.fixture
def stage(addon: str, armature: Rna, tmp_path: Path) -> Path:
    """A saved file with two armatures, and the prompts beside it."""
    importlib.import_module(f"{addon}.rig.armature").build_skeleton("Friend")
    ops.wm.save_as_mainfile(filepath=str(tmp_path / "stage.blend"))
    (tmp_path / "prompts.csv").write_text(ROWS)
    return tmp_path


def report(stage: Path) -> dict[str, dict[str, str]]:
    with (stage / "stage-animated.report.csv").open(newline="") as stream:
        return {row["name"]: row for row in csv.DictReader(stream)}


def test_a_batch_animates_every_armature_and_reports_what_failed(batch: Rna, stage: Path) -> None:
    before = (stage / "stage.blend").read_bytes()
    assert batch.command([str(stage / "prompts.csv")]) == 1
    rows = report(stage)
    assert {name: row["status"] for name, row in rows.items()} == {"walk": "done", "jump": "done", "nobody": "failed"}
    assert 'no armature "Ghost"' in rows["nobody"]["message"]
    assert (stage / "stage.blend").read_bytes() == before
    ops.wm.open_mainfile(filepath=str(stage / "stage-animated.blend"))
    objects: Rna = bpy.data.objects
    assert objects["Hero"].animation_data.action.name == "walk"
    assert objects["Friend"].animation_data.action.name == "jump"
    assert objects["Friend"].animation_data.action.frame_start == 11


def curves_of(name: str) -> dict[tuple[str, int], list[str]]:
    """Interpolations of an action's keys, by curve."""
    action: Rna = bpy.data.actions[name]
    return {
        (curve.data_path, curve.array_index): [point.interpolation for point in curve.keyframe_points]
        for layer in action.layers
        for strip in layer.strips
        for bag in strip.channelbags
        for curve in bag.fcurves
    }


def test_keys_are_as_the_file_says_or_the_command(batch: Rna, stage: Path) -> None:
    one = stage / "one.csv"
    one.write_text("\n".join(ROWS.splitlines()[:2]))
    counts = {}
    for name, wanted, words in (
        ("every", {}, []),
        ("few", {"keys": "SPARSE", "tolerance": 2.0, "interpolation": "BEZIER"}, []),
        ("told", {"keys": "SPARSE", "interpolation": "BEZIER"}, ["--keys", "few", "--tolerance", "2"]),
        ("again every", {"keys": "SPARSE"}, ["--keys", "every", "--interpolation", "linear"]),
    ):
        ops.wm.open_mainfile(filepath=str(stage / "stage.blend"))
        for setting, value in wanted.items():
            setattr(bpy.context.scene.remodiffuse.insert, setting, value)  # pyright: ignore[reportAttributeAccessIssue]
        output = stage / f"{name}.blend"
        assert batch.command([str(one), "--output", str(output), *words]) == 0
        ops.wm.open_mainfile(filepath=str(output))
        made = curves_of("walk")
        counts[name] = sum(map(len, made.values()))
        kinds = {kind for curve in made.values() if len(curve) > 1 for kind in curve}
        assert kinds == {"BEZIER" if name in ("few", "told") else "LINEAR"}
        assert "remodiffuse_travel" in bpy.data.actions["walk"]
    assert counts["again every"] == counts["every"]
    assert counts["few"] == counts["told"] < 0.6 * counts["every"]


@pytest.mark.parametrize("tolerance", ["0", "-1", "nan", "inf"])
def test_a_tolerance_out_of_range_is_refused(
    batch: Rna, stage: Path, tolerance: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert batch.command([str(stage / "prompts.csv"), f"--tolerance={tolerance}"]) == 1
    assert "out of range" in capsys.readouterr().err


def test_repeated_it_makes_only_what_is_missing(batch: Rna, stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = stage / "first.csv"
    first.write_text("\n".join(ROWS.splitlines()[:2]))
    assert batch.command([str(first)]) == 0
    ops.wm.open_mainfile(filepath=str(stage / "stage.blend"))
    (stage / "stage-animated.report.csv").unlink()
    made = []
    make = batch.Work._make
    monkeypatch.setattr(batch.Work, "_make", lambda work, row: made.append(row.name) or make(work, row))
    batch.command([str(stage / "prompts.csv")])
    assert made == ["jump", "nobody"]
    assert report(stage)["walk"]["status"] == "done"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no rows"),
        ("prompt,colour\nwalk,red\n", "unknown column"),
        ("prompt,seconds\nwalk,soon\n", "something else than a number"),
        ("prompt,seconds\nwalk,60\n", "Row 1: A clip of 60 seconds"),
        ("name,prompt\n../x,walk\n", "cannot be a file's"),
        ("name,prompt\na,walk\nA,run\n", "another row has too"),
    ],
)
def test_bad_prompts_are_told_before_anything_is_done(
    batch: Rna, stage: Path, content: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (stage / "prompts.csv").write_text(content)
    assert batch.command([str(stage / "prompts.csv")]) == 1
    assert said in capsys.readouterr().err
    assert not (stage / "stage-animated.blend").exists()


def test_the_animators_own_file_is_never_the_output(batch: Rna, stage: Path) -> None:
    words = [str(stage / "prompts.csv"), "--output", str(stage / "stage.blend")]
    assert batch.command(words) == 1
