# SPDX-License-Identifier: GPL-3.0-or-later
"""The motion library from the sidebar, with the real backend: found, played, added, imported, removed, shared."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest
from libraries import search, state, wait
from scenes import Rna, context, dump, generate, ops, refusal

if TYPE_CHECKING:
    from pathlib import Path

PROMPT = "a person walks forward"
CAPTION = "a person strolls along the canal"


def add() -> None:
    """What is on the armature becomes a clip."""
    generate()
    ops.remodiffuse.accept_take()
    ops.remodiffuse.reject_takes()
    state().caption = CAPTION
    ops.remodiffuse.add_clip()
    wait()


def test_typing_finds_clips(desk: Rna) -> None:
    found = search("kick")
    assert len(found) == 20
    assert "kick" in found[0][1]
    assert search("walk backwards") != found
    assert all(each.licence and each.seconds > 0.0 for each in state().found)
    # Several letters typed while a question is on its way become one more question, for the last of them.
    for text in ("s", "si", "sit"):
        state().text = text
    assert desk.wanted.question.text == "sit"
    wait()
    assert desk.answered.question.text == "sit"
    assert search("") == []


def test_a_clip_plays_and_everything_comes_back(desk: Rna, addon: str) -> None:
    context.scene.frame_set(12)
    search("wave")
    clip = state().found[0]
    clip_library, number = clip.library, clip.clip
    before = dump()
    ops.remodiffuse.play_clip(library=clip.library, clip=clip.clip, caption=clip.caption)
    wait()
    wrists = [context.active_object.pose.bones[f"{side}_wrist"] for side in ("left", "right")]
    places = []
    for frame in range(12, 52, 4):
        context.scene.frame_set(frame)
        places.append([wrist.matrix.translation.copy() for wrist in wrists])
    assert max((place - first).length for frame in places for place, first in zip(frame, places[0], strict=True)) > 0.1
    library = importlib.import_module(f"{addon}.library")
    assert library.playing(context.scene) == library.name_of(clip_library, number)
    ops.remodiffuse.stop_clip()
    assert library.playing(context.scene) == ""
    assert dump() == before
    assert "Play one first" in refusal(ops.remodiffuse.stop_clip)


def test_a_clip_between_takes_gives_way_to_the_take(desk: Rna, settings: Rna) -> None:
    generate()
    shown = context.active_object.animation_data.action.name
    # A take that plays is not for Stop.
    assert "Play one first" in refusal(ops.remodiffuse.stop_clip)
    reference = settings.takes[0].references[0]
    ops.remodiffuse.play_clip(library=reference.library, clip=reference.clip, caption=reference.caption)
    wait()
    assert context.active_object.animation_data.action.name == f"Preview of {reference.caption}"[:60]
    ops.remodiffuse.stop_clip()
    assert context.active_object.animation_data.action.name == shown
    ops.remodiffuse.reject_takes()
    assert context.active_object.animation_data is None


def test_an_added_action_guides_the_next_take_and_can_be_removed(desk: Rna, settings: Rna) -> None:
    search("stroll along the canal")
    add()
    assert search("stroll along the canal")[0] == ("own", CAPTION)
    own = state().found[0]
    number = own.clip
    assert own.licence
    assert own.source.startswith("sampled by")
    assert own.seconds == pytest.approx(2.0, abs=0.1)
    settings.prompt = CAPTION
    generate()
    assert "own" in {each.library for each in settings.takes[0].references}
    ops.remodiffuse.choose_reference(library="own", clip=number, caption=CAPTION)
    state().active = 0
    ops.remodiffuse.remove_clip()
    wait()
    assert "own" not in {library for library, _ in search("stroll along the canal")}
    assert len(settings.choices) == 0
    generate()
    assert "own" not in {each.library for each in settings.takes[-1].references}


def test_a_library_is_shared(desk: Rna, tmp_path: Path) -> None:
    add()
    file = tmp_path / "canal.sqlite"
    ops.remodiffuse.save_library(filepath=str(file))
    wait()
    assert file.exists()
    ops.remodiffuse.load_library(filepath=str(file))
    wait()
    assert {("own", CAPTION), ("canal", CAPTION)} <= set(search(CAPTION))
    ops.remodiffuse.load_library(filepath=str(file))
    assert "already" in refusal(wait)
    ops.remodiffuse.unload_library(library="canal")
    wait()
    assert "canal" not in {library for library, _ in search(CAPTION)}
    (tmp_path / "letter.sqlite").write_text("Dear Ada")
    ops.remodiffuse.load_library(filepath=str(tmp_path / "letter.sqlite"))
    assert "not a motion library" in refusal(wait)


def write_bvh(addon: str, takes: Rna, folder: Path, names: list[str]) -> None:
    formats = importlib.import_module(f"{addon}.backend.motion.formats")
    for name in names:
        (folder / name).write_text(formats.bvh_text(takes.motion))


def test_a_folder_of_bvh_is_imported(desk: Rna, settings: Rna, addon: str, tmp_path: Path) -> None:
    generate()
    take = importlib.import_module(f"{addon}.review").unpack(settings.takes[0])
    write_bvh(addon, take, tmp_path, ["canal.bvh"])
    (tmp_path / "broken.bvh").write_text("HIERARCHY")
    rows = ["file,caption,licence", f"canal.bvh,{CAPTION},CC-BY-4.0", "canal.bvh,a slow stroll,CC-BY-4.0"]
    (tmp_path / "captions.csv").write_text("\n".join([*rows, "broken.bvh,nothing,CC0-1.0"]))
    ops.remodiffuse.import_clips(directory=str(tmp_path))
    wait()
    assert desk.note.startswith("Imported 1 clips of 2 files. 1 failed: broken.bvh")
    search("")
    (clip,) = state().found
    number = clip.clip
    assert (clip.library, clip.caption, clip.licence, clip.source) == ("own", CAPTION, "CC-BY-4.0", "canal.bvh")
    assert search("a slow stroll")[0] == ("own", "a slow stroll")
    # It moves as what was exported.
    ops.remodiffuse.reject_takes()
    ops.remodiffuse.play_clip(library="own", clip=number, caption=CAPTION)
    wait()
    hips = context.active_object.pose.bones["pelvis"]
    places = []
    for frame in (1, 1 + round(39 / 20 * 24)):
        context.scene.frame_set(frame)
        places.append(hips.matrix.translation.copy())
    length = float(((take.motion.root[-1] - take.motion.root[0]) ** 2).sum() ** 0.5)
    assert (places[1] - places[0]).length == pytest.approx(length, rel=0.05)


TABLES = {
    "no table": (None, "columns file and caption"),
    "no columns": ("a,b\n1,2\n", "columns"),
    "no file": ("file,caption\nnowhere.bvh,a walk\n", "Line 2"),
    "outside": ("file,caption\n../up.bvh,a walk\n", "Line 2"),
    "no caption": ("file,caption\nhere.bvh,\n", "no caption"),
    "no licence": ("file,caption\nhere.bvh,a walk\n", "licence"),
}


@pytest.mark.parametrize(("table", "told"), TABLES.values(), ids=TABLES.keys())
def test_a_wrong_table_is_told(desk: Rna, tmp_path: Path, table: str | None, told: str) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    for file in (tmp_path / "up.bvh", folder / "here.bvh"):
        file.write_text("HIERARCHY")
    if table is not None:
        (folder / "captions.csv").write_text(table)
    assert told in refusal(lambda: ops.remodiffuse.import_clips(directory=str(folder)))


def test_what_cannot_be_added_is_told(desk: Rna) -> None:
    assert "no active action" in refusal(ops.remodiffuse.add_clip)
    context.active_object.pose.bones["head"].keyframe_insert("rotation_quaternion", frame=1)
    assert "caption is empty" in refusal(ops.remodiffuse.add_clip)
    state().caption = CAPTION
    assert "preview range" in refusal(ops.remodiffuse.add_clip)
    assert "No clip is chosen" in refusal(ops.remodiffuse.remove_clip)
    search("walk")
    assert "not one of your own" in refusal(ops.remodiffuse.remove_clip)
    state().caption = ""
