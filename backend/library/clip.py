# SPDX-License-Identifier: GPL-3.0-or-later
"""One captioned motion of a library, and the bytes that it is stored as."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ..errors import BackendError
from ..motion.skeleton import CONTACT_JOINTS, JOINTS
from ..request import MAX_FRAMES, MAX_PROMPT, MIN_FRAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_CAPTIONS: Final = 64
MAX_REACH: Final = 1000.0
"""Metres from the origin; whatever lies beyond is no motion of a person on this skeleton."""

# The pelvis travels metres, so it is kept in float32; the other joints stay within 2 m of it, where float16 is
# within 0.5 mm. Contacts are 0..255.
ROOT_BYTES: Final = 3 * 4
JOINT_BYTES: Final = (len(JOINTS) - 1) * 3 * 2
CONTACT_BYTES: Final = len(CONTACT_JOINTS)


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A motion at 20 fps that can be retrieved by each of its captions. Checked when made.

    `positions` (T, 22, 3) float32 metres, Y up, facing +Z at frame 0; `contacts` (T, 4) 0..1. T is 16 to 196.
    """

    captions: tuple[str, ...]
    positions: NDArray[np.float32]
    contacts: NDArray[np.float32]
    source: str
    licence: str
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        frames = len(self.positions)
        if not MIN_FRAMES <= frames <= MAX_FRAMES:
            raise _bad(f"it has {frames} frames", f"Cut it to between {MIN_FRAMES} and {MAX_FRAMES} frames at 20 fps.")
        if self.positions.shape[1:] != (len(JOINTS), 3) or self.contacts.shape != (frames, len(CONTACT_JOINTS)):
            raise _bad("its arrays have the wrong shape", "Give it 22 joint positions and 4 contacts a frame.")
        if not (np.abs(self.positions) < MAX_REACH).all() or not ((self.contacts >= 0) & (self.contacts <= 1)).all():
            raise _bad("it holds impossible numbers", "Give positions in metres and contacts between 0 and 1.")
        if not 1 <= len(self.captions) <= MAX_CAPTIONS or not all(
            0 < len(c.strip()) <= MAX_PROMPT for c in self.captions
        ):
            raise _bad("its captions are missing, too many or too long", "Describe it in one to 64 sentences.")
        if not self.licence.strip():
            raise _bad("its licence is not stated", 'Name its licence, for example "CC0-1.0".')

    @property
    def frames(self) -> int:
        return len(self.positions)


@dataclass(frozen=True, slots=True)
class PackedMotion:
    """A motion as bytes; `digest` identifies it, whatever its captions are."""

    frames: int
    root: bytes
    joints: bytes
    contacts: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.root + self.joints + self.contacts).hexdigest()

    @property
    def fits(self) -> bool:
        """Whether the bytes are as many as `frames` says."""
        sizes = (len(self.root), len(self.joints), len(self.contacts))
        return sizes == (self.frames * ROOT_BYTES, self.frames * JOINT_BYTES, self.frames * CONTACT_BYTES)


def pack(clip: Clip) -> PackedMotion:
    root = clip.positions[:, 0].astype("<f4")
    joints = (clip.positions[:, 1:] - root[:, None]).astype("<f2")
    contacts = np.rint(clip.contacts * 255).astype(np.uint8)
    return PackedMotion(clip.frames, root.tobytes(), joints.tobytes(), contacts.tobytes())


def unpack(packed: PackedMotion) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Positions (T, 22, 3) and contacts (T, 4) of a motion that `fits`."""
    root = np.frombuffer(packed.root, "<f4").reshape(-1, 1, 3)
    joints = np.frombuffer(packed.joints, "<f2").reshape(packed.frames, -1, 3)
    positions = np.concatenate([root, root + joints.astype(np.float32)], axis=1)
    contacts = np.frombuffer(packed.contacts, np.uint8).reshape(packed.frames, -1)
    return positions, contacts.astype(np.float32) / np.float32(255)


def _bad(problem: str, remedy: str) -> BackendError:
    return BackendError("bad_clip", f"The clip cannot be used: {problem}.", remedy)
