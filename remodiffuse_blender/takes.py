# SPDX-License-Identifier: GPL-3.0-or-later
"""The request on its way: sent, watched, cancelled. What comes back goes on to `arrival`.

A script without a window works like the sidebar: `bpy.ops.remodiffuse.generate()`, then `bpy.ops.remodiffuse.wait()`
(or `takes.wait()`) instead of the timer, then `bpy.ops.remodiffuse.accept_take()`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from . import backend_choice, preferences, presets, properties, screen, target
from .arrival import Arrival
from .client.client import Client
from .client.job import Job, Outcome
from .client.pump import INTERVAL_SECONDS, Pump
from .shared import BackendError, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    import bpy

WAIT_INTERVAL_SECONDS: Final = 0.005
ARRIVAL_INTERVAL_SECONDS: Final = 0.005
"""Takes that have come are shown soon; in between Blender has its time."""
RESTING_SECONDS: Final = 5.0
"""So late at most the sidebar notices what a backend does of which nothing is awaited."""


@dataclass
class Session:
    """What this Blender is doing now; nothing of it is saved."""

    client: Client = field(default_factory=Client)
    job: Job | None = None
    """The request on its way, until its takes are in the list."""
    arrival: Arrival | None = None
    """Its takes have come and are being taken in."""
    scene_uid: int = 0
    """The scene that its takes belong to: a reference would not survive undo or File > Open."""
    armature_uid: int = 0
    """The armature that they play on."""
    frame: int | None = None
    """Where they begin on the timeline, where the request says so."""
    last: Request | None = None
    """The last request, to be repeated with one click."""
    error: BackendError | None = None
    """Why the last request failed, until the next one."""
    note: str = ""
    """What the last request has to say though it went well."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Time that the last request took in the backend, by stage."""


session = Session()

alongside: Final[list[tuple[Callable[[], bool], Callable[[], bool]]]] = []
"""What else waits for the backend: a function that takes in what came and tells whether anything changed, and one that
tells whether more is due."""


# Request


def check_generate(context: bpy.types.Context) -> None:
    """Raises `BackendError` where Generate cannot work. Cheap enough for every redraw."""
    if session.job:
        raise BackendError("busy", "A request is on its way.", "Wait for its takes or press Cancel.")
    target.bone_map(target.armature(context))
    request(context)
    check_backend(context)


check_backend: Final = backend_choice.check


def check_running(context: bpy.types.Context) -> None:
    if session.client.pid is None:
        raise BackendError("not_running", "The backend is not running.", "Nothing needs to be done.")


def check_cancel(context: bpy.types.Context) -> None:
    if session.job is None:
        raise BackendError("no_request", "Nothing is being generated.", "Press Generate first.")
    if session.job.cancelling:
        raise BackendError("busy", "The request is being cancelled.", "Wait a moment, or restart the backend.")


def request(context: bpy.types.Context) -> Request:
    """The scene's request: all prompts of its row, and how they are sampled."""
    settings = properties.get(context)
    return Request(
        settings.prompt,
        round(settings.seconds, 3),
        settings.seed,
        settings.count,
        then=tuple((each.prompt, round(each.seconds, 3)) for each in settings.row),
        **guidance(settings),
    )


def guidance(settings: properties.RemodiffuseSettings) -> dict[str, Any]:
    """Fields of a request: quality, mixture, and the references that the animator chose."""
    keys = {
        banned: [(each.library, each.clip) for each in settings.choices if each.banned == banned]
        for banned in (False, True)
    }
    return {
        "quality": settings.quality,
        "balance": round(settings.balance, 3),
        "scale": round(settings.scale, 3),
        "pinned": tuple(keys[False]),
        "banned": tuple(keys[True]),
    }


def generate(context: bpy.types.Context) -> None:
    """Sends the scene's request to the backend; changes nothing in the scene."""
    check_generate(context)
    send(context, request(context), target.armature(context))
    presets.remember(properties.get(context))


def check_free(context: bpy.types.Context) -> None:
    """Whether another request can be sent now."""
    if session.job:
        raise BackendError("busy", "A request is on its way.", "Wait for its takes or press Cancel.")
    check_backend(context)


def send(context: bpy.types.Context, wanted: Request, armature: bpy.types.Object, frame: int | None = None) -> None:
    """Sends a request for takes that begin at `frame` (that of the insert settings, unless given)."""
    session.scene_uid, session.armature_uid = context.scene.session_uid, armature.session_uid
    session.frame = frame
    _send(context, wanted)


def _send(context: bpy.types.Context, wanted: Request) -> None:
    session.error = None
    session.last = wanted
    model = preferences.get(context).model.strip()
    session.job = session.client.generate(wanted, backend_choice.command(context), model)
    pump.start()


def check_repeat(context: bpy.types.Context) -> None:
    if session.job:
        raise BackendError("busy", "A request is on its way.", "Wait for its takes or press Cancel.")
    if session.last is None:
        raise BackendError("no_request", "There was no request yet.", "Press Generate first.")
    check_backend(context)


def repeat(context: bpy.types.Context) -> None:
    """Sends the last request once more, for the scene and armature that it was for, whatever was typed meanwhile."""
    check_repeat(context)
    if session.last:
        _send(context, session.last)


def cancel() -> None:
    if session.job:
        session.client.cancel(session.job)


def restart(context: bpy.types.Context) -> None:
    """Ends the backend, whatever it does, and starts another one."""
    stop()
    session.client.start(backend_choice.command(context))
    pump.start()


def stop(wait_seconds: float = 0.0) -> None:
    """Ends the backend; a request on its way is cancelled."""
    session.client.stop(wait_seconds)
    update()


# From the backend


def update() -> bool:
    """Takes in what the backend sent, in short steps. Returns whether anything changed."""
    changed = session.client.poll()
    for take_in, _ in alongside:
        changed = take_in() or changed
    job = session.job
    if job is None or job.outcome is None:
        return changed
    if job.outcome is Outcome.DONE:
        session.arrival = session.arrival or _arrival(job)
        try:
            if not session.arrival.advance():
                return changed
        except BackendError as error:
            job.error = error
        session.arrival = None
    session.job = None
    session.error = job.error
    session.seconds = job.seconds
    session.note = ""
    if job.outcome is Outcome.DONE and job.batch < job.request.count:
        session.note = f"Memory was short: the takes were made {job.batch} at a time."
    return True


def _arrival(job: Job) -> Arrival:
    source = job.request.canvas.motion if job.request.canvas else None
    return Arrival(job.takes, session.scene_uid, session.armature_uid, session.frame, source)


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


def _tick() -> float | None:
    """What the timer does; returns after how many seconds it is needed again, if it is."""
    # A backend that is quiet is worth a redraw too: the sidebar counts the seconds.
    if update() or session.client.quiet_seconds > 1.0:
        screen.redraw()
    if session.arrival:
        return ARRIVAL_INTERVAL_SECONDS
    if session.client.awaited or session.job is not None or any(due() for _, due in alongside):
        return INTERVAL_SECONDS
    return RESTING_SECONDS if session.client.pid is not None else None


pump: Final = Pump(_tick)


# Life cycle


def end() -> None:
    """Ends whatever runs: the add-on is being disabled, or Blender ends."""
    pump.stop()
    session.job = session.arrival = None
    stop(wait_seconds=2.0)
    session.error = None
