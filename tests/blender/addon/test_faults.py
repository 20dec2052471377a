# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend fails in every way: the scene stays as it was, the message says what to do, the next request works."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import pytest
from libraries import search
from scenes import Rna, assert_ends, context, dump, ops, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FAULTY = Path(__file__).resolve().parents[2] / "backend" / "faulty_server.py"


def update_until(takes: Rna, wanted: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < deadline, takes.session
        takes.update()
        time.sleep(0.001)


def assert_works(settings: Rna) -> None:
    """The next request is met."""
    settings.prompt, settings.seconds, settings.count = "a person walks forward", 2.0, 1
    there = len(settings.takes)
    ops.remodiffuse.generate()
    ops.remodiffuse.wait(timeout=120)
    assert len(settings.takes) == there + 1
    ops.remodiffuse.reject_takes()


@pytest.fixture
def faulty(
    addon: str, settings: Rna, preferences: Rna, takes: Rna, backend_python: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Rna]:
    """The request, with a backend that fails on command. Its first request has number 1."""
    takes.stop(wait_seconds=5.0)
    client = importlib.import_module(f"{addon}.client.client").Client()
    monkeypatch.setattr(takes.session, "client", client)
    preferences.command = f"{backend_python} {FAULTY}"
    yield settings
    client.stop(wait_seconds=5.0)
    preferences.command = ""


MOMENTS: dict[str, Callable[[Rna], bool]] = {
    "start": lambda session: session.client.pid is not None,
    "loading": lambda session: session.client.state.value == "loading",
    "retrieval": lambda session: session.job.stage in ("retrieval", "conditions"),
    "sampling": lambda session: session.job.stage == "sampling" and session.job.step > 2,
    "sending": lambda session: bool(session.job.takes),
}


@pytest.mark.fault("backend killed (kill -9)")
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment(settings: Rna, takes: Rna, addon: str, moment: str) -> None:
    if moment in ("start", "loading"):
        takes.stop(wait_seconds=5.0)
    settings.seconds, settings.count = 9.8, 16
    before = dump()
    for _ in range(10):
        ops.remodiffuse.generate()
        if moment == "sending":
            # Blender does not look until there is more than it takes in at once: some takes are still on their way.
            client = importlib.import_module(f"{addon}.client.client")
            update_until(takes, lambda: takes.session.job.stage == "motion")
            while not takes.session.job.takes:
                client.Client.poll(takes.session.client, 0.0001)
        else:
            update_until(takes, lambda: MOMENTS[moment](takes.session))
        pid = takes.session.client.pid
        os.kill(pid, signal.SIGKILL)
        try:
            ops.remodiffuse.wait()
        except RuntimeError as error:
            told = str(error)
            break
        # All takes were there before the kill, which they may be: once more.
        ops.remodiffuse.reject_takes()
    else:
        pytest.fail("no kill ever came in time")
    assert "Killed" in told
    assert "Press Generate" in told or "Preferences" in told
    assert dump() == before
    assert_ends(pid)
    settings.seconds, settings.count = 2.0, 1
    assert_works(settings)
    # And the one that failed, by one click.
    ops.remodiffuse.repeat_request()
    ops.remodiffuse.wait(timeout=120)
    assert settings.takes[0].seconds == pytest.approx(2.0)


@pytest.mark.fault("backend hangs (SIGSTOP)")
@pytest.mark.parametrize("what", ["process", "work"])
def test_a_hang_is_noticed_and_restart_helps(
    faulty: Rna, takes: Rna, addon: str, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(importlib.import_module(f"{addon}.client.client"), "PING_SECONDS", 0.1)
    faulty.prompt = "hang" if what == "work" else "a person walks forward"
    before = dump()
    ops.remodiffuse.generate()
    update_until(takes, lambda: takes.session.job.stage in ("text", "sampling"))
    pid = takes.session.client.pid
    if what == "process":
        os.kill(pid, signal.SIGSTOP)
    update_until(takes, lambda: takes.session.client.quiet_seconds > 1.0)
    ops.remodiffuse.restart_backend()
    update_until(takes, lambda: takes.session.job is None)
    assert_ends(pid)
    assert dump() == before
    assert_works(faulty)


@pytest.mark.fault("backend crashes by itself")
def test_a_crash_is_told_with_its_last_words(faulty: Rna) -> None:
    faulty.prompt = "crash"
    before = dump()
    ops.remodiffuse.generate()
    told = refusal(ops.remodiffuse.wait)
    assert "exit code 3" in told
    assert "even past Python" in told
    assert dump() == before
    assert_works(faulty)


@pytest.mark.fault("out of memory")
def test_short_memory_makes_smaller_batches_and_none_is_told(faulty: Rna, takes: Rna) -> None:
    faulty.prompt, faulty.count = "short", 8
    ops.remodiffuse.generate()
    ops.remodiffuse.wait(timeout=120)
    assert len(faulty.takes) == 8
    assert "2 at a time" in takes.session.note
    ops.remodiffuse.reject_takes()
    faulty.prompt = "memory"
    before = dump()
    ops.remodiffuse.generate()
    assert "shorter clip" in refusal(ops.remodiffuse.wait)
    assert dump() == before
    assert_works(faulty)


BAD = [
    "garbage", "truncated", "long line", "large array", "out of order", "duplicate", "early end", "not finite",
    "unknown message", "another protocol",
]  # fmt: skip


@pytest.mark.fault("bad frames to the add-on")
@pytest.mark.parametrize("kind", BAD)
def test_bad_frames_change_nothing(faulty: Rna, takes: Rna, kind: str) -> None:
    faulty.prompt = f"wire: {kind}"
    before = dump()
    ops.remodiffuse.generate()
    told = refusal(ops.remodiffuse.wait)
    assert "Press Generate" in told or "same version" in told
    assert dump() == before
    assert takes.session.client.pid is None
    assert_works(faulty)


@pytest.fixture
def models(addon: str, preferences: Rna) -> Iterator[Path]:
    """The folder of the animator's own models."""
    folder = Path(bpy.utils.extension_path_user(addon, path="models", create=True))
    yield folder
    preferences.model = ""
    shutil.rmtree(folder)


@pytest.mark.fault("corrupt or wrong-version model")
@pytest.mark.parametrize("what", ["weights", "card"])
def test_a_damaged_model_is_told_and_another_one_works(
    settings: Rna, preferences: Rna, takes: Rna, addon: str, models: Path, what: str
) -> None:
    starter = importlib.import_module(f"{addon}.backend.models").STARTER
    shutil.copytree(starter, models / "mine")
    card, weights = models / "mine" / "card.toml", models / "mine" / "model.safetensors"
    text = card.read_text("utf-8").replace('name = "starter"', 'name = "mine"', 1)
    if what == "card":
        text = text.replace("[config]", "[config]\nlayers_of_a_later_version = 3", 1)
    card.write_text(text, "utf-8")
    if what == "weights":
        content = weights.read_bytes()
        weights.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    takes.stop(wait_seconds=5.0)
    preferences.model = "mine"
    before = dump()
    ops.remodiffuse.generate()
    told = refusal(ops.remodiffuse.wait)
    assert "card" in told
    assert "install it again" in told
    assert dump() == before
    preferences.model = ""
    assert_works(settings)


@pytest.mark.fault("corrupt or wrong-version library")
def test_damaged_libraries_are_named_and_left_out(desk: Rna, settings: Rna, libraries: Path) -> None:
    libraries.mkdir(parents=True, exist_ok=True)
    (libraries / "letter.sqlite").write_text("Dear Ada")
    with sqlite3.connect(libraries / "future.sqlite") as connection:
        connection.execute("PRAGMA application_id = 1380795494")
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert_works(settings)
    assert search("walk")
    problems = {each.name: each.problem for each in desk.libraries if each.problem}
    assert problems.keys() == {"letter", "future"}
    assert "not a motion library" in problems["letter"]
    assert "Update the extension" in problems["future"]
    assert context.scene.remodiffuse == settings


@pytest.fixture
def disk(libraries: Path, desk: Rna) -> Iterator[Rna]:
    """The folder of the animator's libraries as a small disk of its own."""
    spec = importlib.util.spec_from_file_location("small_disk", FAULTY.with_name("small_disk.py"))
    assert spec
    assert spec.loader
    small_disk = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(small_disk)
    shutil.rmtree(libraries, ignore_errors=True)
    libraries.parent.mkdir(parents=True, exist_ok=True)
    with small_disk.small_disk(libraries) as made:
        yield made


def record(number: int) -> None:
    """A short action on the armature, and its caption."""
    arm = context.object.pose.bones["left_shoulder"]
    arm.rotation_mode = "XYZ"
    for frame in (1, 41):
        arm.rotation_euler.x = 0.01 * frame + 0.02 * number
        arm.keyframe_insert("rotation_euler", frame=frame)
    context.scene.frame_set(1)
    context.window_manager.remodiffuse_library.caption = f"a person waves, {number}"


@pytest.mark.fault("disk full or read-only: library")
@pytest.mark.parametrize("obstacle", ["full", "read-only"])
def test_a_library_that_cannot_be_written_is_told(disk: Rna, takes: Rna, settings: Rna, obstacle: str) -> None:
    record(1)
    ops.remodiffuse.add_clip()
    ops.remodiffuse.wait(timeout=120)
    block, unblock = (disk.fill, disk.free) if obstacle == "full" else (disk.protect, disk.unprotect)
    # A disk with a file that somebody writes to cannot be protected.
    takes.stop(wait_seconds=5.0)
    block()
    # The room that the file has already may hold a few more.
    for number in range(2, 40):
        record(number)
        before = dump()
        ops.remodiffuse.add_clip()
        try:
            ops.remodiffuse.wait(timeout=120)
        except RuntimeError as error:
            told = str(error)
            break
    else:
        pytest.fail("the disk was never full")
    assert "Free some disk space" in told or "permissions" in told
    assert dump() == before
    unblock()
    ops.remodiffuse.add_clip()
    ops.remodiffuse.wait(timeout=120)
    assert search(f"a person waves, {number}")[0][0] == "own"
    context.object.animation_data_clear()
    assert_works(settings)


@pytest.mark.fault("two Blenders on one library")
def test_two_blenders_add_to_one_library(
    addon: str, backend_python: str, desk: Rna, libraries: Path, often: Callable[[int, int], int]
) -> None:
    count = often(4, 40)
    words = [sys.executable, str(Path(__file__).parents[1] / "adding.py"), addon, backend_python]
    blenders = [
        subprocess.Popen([*words, name, str(count)], stdout=subprocess.PIPE, text=True) for name in ("Ada", "Rex")
    ]
    said = [blender.communicate(timeout=600)[0] for blender in blenders]
    for name, text in zip(("Ada", "Rex"), said, strict=True):
        assert text.count(f"ADDED {name}") == count
    with sqlite3.connect(libraries / "own.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM clips").fetchone() == (2 * count,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert search("Rex waves, 1")[0] == ("own", "Rex waves, 1")
