# SPDX-License-Identifier: GPL-3.0-or-later
"""Every operator that is registered, and one undo after each: the state is exactly what it was before.

An operator without a case in the table below fails a test.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import pytest
from libraries import search, state
from scenes import Rna, context, generate, ops, refusal, whole

if TYPE_CHECKING:
    from collections.abc import Callable


CAPTION = "a person strolls along the canal"


def wait() -> None:
    ops.remodiffuse.wait(timeout=120)


def reviewed() -> None:
    """Two takes in the list, the first of them plays."""
    context.scene.remodiffuse.count = 2
    generate()


def walked() -> None:
    """A walk was accepted; nothing is under review."""
    generate()
    ops.remodiffuse.accept_take()
    ops.remodiffuse.reject_takes()


def row() -> None:
    ops.remodiffuse.add_prompt()


def chosen() -> None:
    ops.remodiffuse.choose_reference(library="starter library", clip=1, caption="a walk")


def elsewhere() -> None:
    reviewed()
    context.scene.frame_set(9)


def posed() -> None:
    context.active_object.pose.bones["left_shoulder"].rotation_quaternion = (0.9, 0.1, 0.2, 0.3)
    context.view_layer.update()


def mapped() -> None:
    table = context.active_object.remodiffuse_bones
    table.mirror = False
    table.left_wrist = ""


def posed_reference() -> None:
    posed()
    ops.remodiffuse.use_reference_pose()


def saved_map() -> None:
    mapped()
    ops.remodiffuse.save_bone_map(filepath=str(Path(bpy.app.tempdir) / "map.json"))
    ops.remodiffuse.detect_bones()


def playing() -> None:
    clip = {"library": "starter library", "clip": 1, "caption": "a clip"}
    ops.remodiffuse.play_clip(**clip)
    wait()


def gap() -> None:
    walked()
    scene = context.scene
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 10, 30


def found_clip() -> None:
    search("a person sits down")
    state().active = 0


def nothing() -> None:
    pass


AT_ONCE: dict[str, tuple[Callable[[], None], dict[str, object]]] = {
    "accept_take": (reviewed, {}),
    "add_prompt": (nothing, {}),
    "choose_reference": (nothing, {"library": "starter library", "clip": 1, "caption": "a walk"}),
    "clear_choices": (chosen, {}),
    "clear_reference_pose": (posed_reference, {}),
    "detect_bones": (mapped, {}),
    "flip_take": (reviewed, {}),
    "load_bone_map": (saved_map, {"filepath": "map.json"}),
    "move_to_playhead": (elsewhere, {}),
    "randomize_seed": (nothing, {}),
    "reject_takes": (reviewed, {}),
    "remove_prompt": (row, {}),
    "remove_take": (reviewed, {}),
    "replace_reference": (found_clip, {"library": "starter library", "clip": 100000, "caption": "a walk"}),
    "star_take": (reviewed, {}),
    "stop_clip": (playing, {}),
    "switch_travel": (walked, {}),
    "use_reference_pose": (posed, {}),
}
"""What changes the file at once, in a step of its own: the state before, and the operator's words."""
LATER: dict[str, tuple[Callable[[], None], dict[str, object]]] = {
    "generate": (nothing, {}),
    "generate_on_enter": (nothing, {}),
    "another_seed": (walked, {}),
    "resample": (walked, {}),
    "fill_gap": (gap, {}),
    "repeat_request": (walked, {}),
    "play_clip": (nothing, {"library": "starter library", "clip": 1, "caption": "a clip"}),
}
"""What changes nothing at first; what comes from the backend is a step of its own."""
NEVER = (
    "cancel", "wait", "restart_backend", "stop_backend", "search_library",
    "cancel_import", "cancel_installation", "cancel_fetch", "add_preset", "report_rig", "save_bone_map",
)  # fmt: skip
"""What changes nothing in the file, whether it works or is refused here."""
INSTALLING = ("install_backend", "repair_backend", "uninstall_backend", "fetch_model")
"""What installs and removes files of the backend: refused here, done in test_installation."""


def captioned() -> None:
    walked()
    state().caption = CAPTION


def own_clip() -> None:
    """A clip of one's own, found and pinned."""
    captioned()
    ops.remodiffuse.add_clip()
    search(CAPTION)
    clip = state().found[0]
    ops.remodiffuse.choose_reference(library=clip.library, clip=clip.clip, caption=CAPTION)


def saved_library() -> None:
    own_clip()
    ops.remodiffuse.save_library(filepath=temporary("canal.sqlite"))
    wait()


def loaded_library() -> None:
    saved_library()
    ops.remodiffuse.load_library(filepath=temporary("canal.sqlite"))
    wait()


def folder_of_clips() -> None:
    reviewed()
    folder = Path(bpy.app.tempdir)
    module = next(each.module for each in context.preferences.addons if each.module.endswith("remodiffuse"))
    take = importlib.import_module(f"{module}.review").unpack(context.scene.remodiffuse.takes[0])
    text = importlib.import_module(f"{module}.backend.motion.formats").bvh_text(take.motion)
    (folder / "stroll.bvh").write_text(text)
    (folder / "captions.csv").write_text(f"file,caption,licence\nstroll.bvh,{CAPTION},CC0-1.0\n")


def temporary(name: str) -> str:
    return str(Path(bpy.app.tempdir) / name)


BESIDE: dict[str, tuple[Callable[[], None], dict[str, str]]] = {
    "add_clip": (captioned, {}),
    "import_clips": (folder_of_clips, {"directory": ""}),
    "save_library": (own_clip, {"filepath": "shared.sqlite"}),
    "load_library": (saved_library, {"filepath": "canal.sqlite"}),
    "unload_library": (loaded_library, {"library": "canal"}),
    "remove_clip": (own_clip, {}),
}
"""What changes the motion library, which is not in the .blend and not undone."""


def registered(addon: str) -> dict[str, Rna]:
    operators = importlib.import_module(f"{addon}.operators").CLASSES
    return {each.bl_idname.removeprefix("remodiffuse."): each for each in operators}


def test_every_operator_has_its_case(addon: str) -> None:
    assert sorted([*AT_ONCE, *LATER, *NEVER, *BESIDE, *INSTALLING]) == sorted(registered(addon))
    undoable = {name for name, kind in registered(addon).items() if "UNDO" in kind.bl_options}
    assert undoable == {*AT_ONCE, "remove_clip"}


@pytest.mark.parametrize("name", AT_ONCE)
def test_one_undo_takes_it_back(settings: Rna, takes: Rna, name: str) -> None:
    prepare, words = AT_ONCE[name]
    prepare()
    if "filepath" in words:
        words = {"filepath": str(Path(bpy.app.tempdir) / str(words["filepath"]))}
    ops.ed.undo_push(message="before")
    before = whole()
    getattr(ops.remodiffuse, name)("EXEC_DEFAULT", True, **words)
    after = whole()
    assert after != before
    ops.ed.undo()
    assert whole() == before
    ops.ed.redo()
    assert whole() == after


@pytest.mark.parametrize("name", LATER)
def test_one_undo_takes_back_what_came(settings: Rna, takes: Rna, name: str) -> None:
    prepare, words = LATER[name]
    prepare()
    ops.ed.undo_push(message="before")
    before = whole()
    getattr(ops.remodiffuse, name)("EXEC_DEFAULT", True, **words)
    assert whole() == before
    wait()
    assert whole() != before
    ops.ed.undo()
    assert whole() == before


@pytest.mark.parametrize("name", NEVER)
def test_it_changes_nothing_in_the_file(settings: Rna, takes: Rna, tmp_path: Path, name: str) -> None:
    reviewed()
    files = {"save_bone_map": {"filepath": str(tmp_path / "map.json")}, "add_preset": {"name": "Undo"}}
    before = whole()
    operator = getattr(ops.remodiffuse, name)
    if name in ("cancel", "cancel_import", "cancel_installation", "cancel_fetch"):
        assert refusal(operator)
    else:
        operator("EXEC_DEFAULT", **files.get(name, {}))
    takes.wait(120)
    if name == "add_preset":
        ops.remodiffuse.add_preset(name="Undo", remove_name=True)
    assert whole() == before


@pytest.mark.parametrize("name", BESIDE)
def test_what_changes_the_library_leaves_the_file(desk: Rna, takes: Rna, name: str) -> None:
    """But for the pin of a clip that is removed, which one undo brings back."""
    prepare, words = BESIDE[name]
    prepare()
    paths = {key: word if key == "library" else temporary(word) for key, word in words.items()}
    ops.ed.undo_push(message="before")
    before = whole()
    counts = {each.name: each.clips for each in desk.libraries}
    getattr(ops.remodiffuse, name)("EXEC_DEFAULT", True, **paths)
    wait()
    assert not desk.error
    if name == "save_library":
        assert Path(paths["filepath"]).exists()
    else:
        assert {each.name: each.clips for each in desk.libraries} != counts
    if name == "remove_clip":
        assert len(context.scene.remodiffuse.choices) == 0
        ops.ed.undo()
    assert whole() == before


@pytest.mark.parametrize("name", INSTALLING)
def test_a_refused_installation_changes_nothing_in_the_file(preferences: Rna, settings: Rna, name: str) -> None:
    reviewed()
    preferences.python = ""
    online = context.preferences.system.use_online_access
    context.preferences.system.use_online_access = False
    before = whole()
    try:
        assert refusal(getattr(ops.remodiffuse, name))
    finally:
        context.preferences.system.use_online_access = online
    assert whole() == before
