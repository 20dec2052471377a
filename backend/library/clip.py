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
class Features:
    """A clip as the models of one family read it, word for word: what an official database says of it.

    `rows` (n, F) float32 are normalised features in the named `layout` at its own `fps`, as many as the motion has;
    `tokens` (N, D) float16 are the token features of its only caption by the named text encoder.
    """

    layout: str
    fps: float
    rows: NDArray[np.float32]
    encoder: str
    tokens: NDArray[np.float16]


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A motion at 20 fps that can be retrieved by each of its captions. Checked when made.

    `positions` (T, 22, 3) float32 metres, Y up, facing +Z at frame 0; `contacts` (T, 4) 0..1. T is 16 to 196. With
    `features`, which may last longer, they are what people and other models see of it.
    """

    captions: tuple[str, ...]
    positions: NDArray[np.float32]
    contacts: NDArray[np.float32]
    source: str
    licence: str
    tags: tuple[str, ...] = ()
    features: Features | None = None

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
    """A motion as bytes; `digest` identifies it, whatever its captions are.

    With features it is the entry of a database that has its own caption and place there: `source` tells such entries
    apart, though their motions be the same.
    """

    frames: int
    root: bytes
    joints: bytes
    contacts: bytes
    features: PackedFeatures | None
    source: str

    @property
    def digest(self) -> str:
        found = hashlib.sha256(self.root + self.joints + self.contacts)
        if self.features is not None:
            found.update(self.features.rows)
            found.update(self.features.tokens)
            found.update(self.source.encode())
        return found.hexdigest()

    @property
    def fits(self) -> bool:
        """Whether the bytes are as many as `frames` says."""
        sizes = (len(self.root), len(self.joints), len(self.contacts))
        motion_fits = sizes == (self.frames * ROOT_BYTES, self.frames * JOINT_BYTES, self.frames * CONTACT_BYTES)
        return motion_fits and (self.features is None or self.features.fits)


@dataclass(frozen=True, slots=True)
class PackedFeatures:
    """`Features` as bytes: `frames` rows of float32 and `token_count` rows of float16."""

    layout: str
    frames: int
    fps: float
    encoder: str
    token_count: int
    rows: bytes
    tokens: bytes

    @property
    def fits(self) -> bool:
        return (
            self.frames > 0
            and self.token_count > 0
            and len(self.rows) % (4 * self.frames) == len(self.tokens) % (2 * self.token_count) == 0
        )


def pack(clip: Clip) -> PackedMotion:
    root = clip.positions[:, 0].astype("<f4")
    joints = (clip.positions[:, 1:] - root[:, None]).astype("<f2")
    contacts = np.rint(clip.contacts * 255).astype(np.uint8)
    features = None if clip.features is None else _pack_features(clip.features)
    return PackedMotion(clip.frames, root.tobytes(), joints.tobytes(), contacts.tobytes(), features, clip.source)


def _pack_features(features: Features) -> PackedFeatures:
    return PackedFeatures(
        features.layout,
        len(features.rows),
        features.fps,
        features.encoder,
        len(features.tokens),
        features.rows.astype("<f4").tobytes(),
        features.tokens.astype("<f2").tobytes(),
    )


def unpack(packed: PackedMotion) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Positions (T, 22, 3) and contacts (T, 4) of a motion that `fits`."""
    root = np.frombuffer(packed.root, "<f4").reshape(-1, 1, 3)
    joints = np.frombuffer(packed.joints, "<f2").reshape(packed.frames, -1, 3)
    positions = np.concatenate([root, root + joints.astype(np.float32)], axis=1)
    contacts = np.frombuffer(packed.contacts, np.uint8).reshape(packed.frames, -1)
    return positions, contacts.astype(np.float32) / np.float32(255)


def unpack_features(packed: PackedFeatures) -> Features:
    """Features that `fit`."""
    rows = np.frombuffer(packed.rows, "<f4").reshape(packed.frames, -1)
    tokens = np.frombuffer(packed.tokens, "<f2").reshape(packed.token_count, -1)
    return Features(packed.layout, packed.fps, rows, packed.encoder, tokens)


def _bad(problem: str, remedy: str) -> BackendError:
    return BackendError("bad_clip", f"The clip cannot be used: {problem}.", remedy)
