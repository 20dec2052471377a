# SPDX-License-Identifier: GPL-3.0-or-later
"""Request -> takes -> accept or reject. Everything that the operators do, without drawing.

A script without a window works like the sidebar: `bpy.ops.remodiffuse.generate()`, then `bpy.ops.remodiffuse.wait()`
(or `takes.wait()`) instead of the timer, then `bpy.ops.remodiffuse.accept_take()`.
"""

from __future__ import annotations

import base64
import io
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import bpy

from . import preferences, properties, target, timeline
from .client.client import Client
from .client.command import CHOOSE, Command, backend_command
from .client.job import Job, Outcome
from .client.pump import Pump
from .shared import BackendError, Request, Take, protocol

if TYPE_CHECKING:
    from .properties import RemodiffuseTake

NAME_LENGTH: Final = 50
WAIT_INTERVAL_SECONDS: Final = 0.005


@dataclass
class Session:
    """What this Blender is doing now; nothing of it is saved."""

    client: Client = field(default_factory=Client)
    job: Job | None = None
    """The request on its way."""
    scene_uid: int = 0
    """The scene that its takes belong to: a reference would not survive undo or File > Open."""
    error: BackendError | None = None
    """Why the last request failed, until the next one."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Time that the last request took in the backend, by stage."""


session = Session()


# Request


def check_generate(context: bpy.types.Context) -> None:
    """Raises `BackendError` where Generate cannot work. Cheap enough for every redraw."""
    if session.job:
        raise BackendError("busy", "A request is on its way.", "Wait for its takes or press Cancel.")
    target.bone_map(target.armature(context))
    request(context)
    check_backend(context)


def check_backend(context: bpy.types.Context) -> None:
    """Only whether one is chosen: drawing must not touch the disk."""
    if not preferences.get(context).python.strip():
        raise BackendError("no_backend", "No backend is set up yet.", CHOOSE)


def check_running(context: bpy.types.Context) -> None:
    if session.client.pid is None:
        raise BackendError("not_running", "The backend is not running.", "Nothing needs to be done.")


def check_cancel(context: bpy.types.Context) -> None:
    if session.job is None:
        raise BackendError("no_request", "Nothing is being generated.", "Press Generate first.")
    if session.job.cancelling:
        raise BackendError("busy", "The request is being cancelled.", "Wait a moment, or restart the backend.")


def request(context: bpy.types.Context) -> Request:
    settings = properties.get(context)
    return Request(settings.prompt, round(settings.seconds, 3), settings.seed, settings.count)


def command(context: bpy.types.Context) -> Command:
    chosen = preferences.get(context)
    return backend_command(chosen.python, chosen.device)


def generate(context: bpy.types.Context) -> None:
    """Sends the scene's request to the backend; changes nothing in the scene."""
    check_generate(context)
    session.error = None
    session.job = session.client.generate(request(context), command(context))
    session.scene_uid = context.scene.session_uid
    pump.start()


def cancel() -> None:
    if session.job:
        session.client.cancel(session.job)


def restart(context: bpy.types.Context) -> None:
    """Ends the backend, whatever it does, and starts another one."""
    stop()
    session.client.start(command(context))
    pump.start()


def stop(wait_seconds: float = 0.0) -> None:
    """Ends the backend; a request on its way is cancelled."""
    session.client.stop(wait_seconds)
    update()


# From the backend


def update() -> bool:
    """Takes in what the backend sent, in under 5 ms a call. Returns whether anything changed."""
    changed = session.client.poll()
    job = session.job
    if job is None or job.outcome is None:
        return changed
    session.job = None
    session.error = job.error
    session.seconds = job.seconds
    if job.outcome is Outcome.DONE:
        try:
            _list_for_review(job.takes)
        except BackendError as error:
            session.error = error
    return True


def wait(timeout_seconds: float = 600.0) -> None:
    """Blocks until the request has its outcome. Raises `BackendError` where it failed or took too long."""
    deadline = time.monotonic() + timeout_seconds
    while session.job:
        if time.monotonic() > deadline:
            raise BackendError(
                "timeout", f"The request is not done after {timeout_seconds:g} seconds.", "Wait longer or cancel it."
            )
        if not update():
            time.sleep(WAIT_INTERVAL_SECONDS)
    if session.error:
        raise session.error


def _tick() -> bool:
    """What the timer does; returns whether it is still needed."""
    # A backend that is quiet is worth a redraw too: the sidebar counts the seconds.
    if update() or session.client.quiet_seconds > 1.0:
        redraw()
    return session.client.awaited or session.job is not None


pump: Final = Pump(_tick)


def redraw() -> None:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"VIEW_3D", "PREFERENCES"}:
                area.tag_redraw()


# Review


def _list_for_review(takes: list[Take]) -> None:
    scene = next((scene for scene in bpy.data.scenes if scene.session_uid == session.scene_uid), None)
    if scene is None:
        raise BackendError("scene_gone", "The takes came for a scene that is no longer open.", "Generate again here.")
    settings: Any = scene.remodiffuse  # pyright: ignore[reportAttributeAccessIssue] - see properties.attach
    for take in takes:
        item = settings.takes.add()
        item.name = f"{take.provenance.prompt} #{take.provenance.seed}"
        item.frame = base64.b64encode(protocol.encode_take(0, 0, take)).decode()
        item.prompt = take.provenance.prompt
        item.seconds = take.provenance.seconds
        item.seed = take.provenance.seed
        for reference in take.provenance.references:
            shown = item.references.add()
            for name in ("caption", "score", "library", "source", "licence"):
                setattr(shown, name, getattr(reference, name))
    settings.active_take = len(settings.takes) - len(takes)
    # Without a step of its own, undoing the next action would take the takes away with it.
    bpy.ops.ed.undo_push(message="ReMoDiffuse Takes")


def check_review(context: bpy.types.Context) -> None:
    if not properties.get(context).takes:
        raise BackendError("no_takes", "There are no takes.", "Generate some first.")


def check_accept(context: bpy.types.Context) -> None:
    check_review(context)
    armature = target.armature(context)
    target.bone_map(armature)
    if armature.animation_data and armature.animation_data.use_tweak_mode:
        raise BackendError(
            "tweak_mode", f"{armature.name} is in the NLA's tweak mode.", "Leave it with Tab in the NLA editor."
        )


def accept(context: bpy.types.Context, index: int = -1) -> bpy.types.Action:
    """Writes take `index` (the active one if negative) as a new action of the active armature, from the playhead on."""
    check_accept(context)
    armature = target.armature(context)
    scene, settings = context.scene, properties.get(context)
    index = settings.active_take if index < 0 else index
    if index >= len(settings.takes):
        raise BackendError("no_takes", f"There is no take {index}.", f"There are {len(settings.takes)}.")
    take = unpack(settings.takes[index])
    channels = target.solve_motion(armature, take.motion, scene.render.fps / scene.render.fps_base)
    _keep_action(armature)
    name = " ".join(take.provenance.prompt.split())[:NAME_LENGTH]
    action = timeline.write_action(armature, channels, name, scene.frame_current, _properties(take))
    settings.takes[index].accepted = True
    return action


def reject(context: bpy.types.Context) -> None:
    """Throws away all takes under review; what was accepted stays."""
    check_review(context)
    settings = properties.get(context)
    settings.takes.clear()
    settings.active_take = 0


def unpack(item: RemodiffuseTake) -> Take:
    """The take of a list entry; a .blend from a stranger is read as strictly as the wire."""
    try:
        frame = protocol.read(io.BytesIO(base64.b64decode(item.frame, validate=True)))
        if frame is None:
            raise protocol.ProtocolError("The entry is empty.")
        return protocol.parse_take(frame)
    except (ValueError, protocol.ProtocolError) as error:
        raise BackendError(
            "bad_take", f"The take {item.name} is damaged: {error}", "Generate it again with its prompt and seed."
        ) from error


def _properties(take: Take) -> dict[str, Any]:
    """Custom properties of the action, from which the take can be sampled again."""
    origin = take.provenance
    return {
        "prompt": origin.prompt,
        "seconds": origin.seconds,
        "seed": origin.seed,
        "model": origin.model,
        "licence": origin.licence,
        "remodiffuse": json.dumps(origin.to_json(), ensure_ascii=False),
    }


def _keep_action(armature: bpy.types.Object) -> None:
    """The action that is about to be replaced stays in the file, also when nothing else uses it."""
    data = armature.animation_data
    if data and data.action and data.action.users == 1:
        data.action.use_fake_user = True


# Life cycle


def end() -> None:
    """Ends whatever runs: the add-on is being disabled, or Blender ends."""
    pump.stop()
    stop(wait_seconds=2.0)
    session.error = None
