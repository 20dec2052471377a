# SPDX-License-Identifier: GPL-3.0-or-later
"""The official retrieval databases (`t2m_text_train.npz`, `kit_text_train.npz`) become libraries.

Each entry becomes a clip with one caption. What the network reads (normalised features, token features of the caption,
its sentence vector) is kept as the file has it; positions are decoded for people, for previews and for other models.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..errors import BackendError
from ..motion.decoding import decoded
from ..motion.skeleton import FPS, with_bone_lengths
from ..request import MAX_FRAMES, MAX_PROMPT, MIN_FRAMES
from .archive import columns
from .clip import MAX_REACH, Clip, Features
from .connection import remove_companions, sqlite_errors
from .storage import Library

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from ..model_card import ModelCard
    from .archive import Column

LICENCE: Final = "LicenseRef-see-data-set"
NO_CAPTION: Final = "(no caption)"
BATCH: Final = 32
"""Entries in memory at a time: about 13 MB."""

_KEYS: Final = ("text_features", "captions", "motions", "m_lengths", "clip_seq_features")


def import_official(
    archive: Path,
    output: Path,
    card: ModelCard,
    mean: NDArray[np.float64],
    deviation: NDArray[np.float64],
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write the library `output` from an official database and return its number of clips.

    `card`, `mean` and `deviation` (F,) are those of the model that the database belongs to. Raises BackendError, and
    then nothing is written, where the file is not such a database, is damaged or there is a library already.
    """
    if output.exists():
        raise BackendError("library_exists", f"{output} exists already.", "Choose another name with --output.")
    draft = output.with_name(output.name + ".import")
    with sqlite_errors(output):
        try:
            draft.unlink(missing_ok=True)  # of an import that was killed
            count = _write(archive, draft, output.stem, card, mean, deviation, progress)
            remove_companions(output)
            draft.rename(output)
        finally:
            draft.unlink(missing_ok=True)
            remove_companions(draft)
    return count


def _write(
    archive: Path,
    path: Path,
    name: str,
    card: ModelCard,
    mean: NDArray[np.float64],
    deviation: NDArray[np.float64],
    progress: Callable[[int, int], None] | None,
) -> int:
    with columns(archive, _KEYS) as arrays:
        count = _checked_count(arrays, card)
        _check_space(path.parent, count, arrays)
        with Library.create(path, name) as library:
            for start in range(0, count, BATCH):
                rows = {key: array.read(min(BATCH, count - start)) for key, array in arrays.items()}
                _check(rows, start, card.config.max_frames)
                clips = [
                    _clip(rows, number, f"{archive.name}, entry {start + number}", card, mean, deviation)
                    for number in range(len(rows["m_lengths"]))
                ]
                library.add_indexed(clips, card.encoder, _unit(rows["text_features"]))
                if progress:
                    progress(start + len(clips), count)
    return count


def _checked_count(arrays: dict[str, Column], card: ModelCard) -> int:
    """The number of entries. Raises ValueError where the arrays are not those that the model reads."""
    config = card.config
    expected = {
        "text_features": ("f", (config.token_width,)),
        "captions": ("U", ()),
        "motions": ("f", (config.max_frames, config.features)),
        "m_lengths": ("iu", ()),
        "clip_seq_features": ("f", (None, config.reference_token_width)),
    }
    for name, (kinds, shape) in expected.items():
        array = arrays[name]
        fits = len(array.shape) == len(shape) and all(
            want in (None, size) for want, size in zip(shape, array.shape, strict=True)
        )
        if array.dtype.kind not in kinds or not fits:
            held = f"{array.dtype} {('N', *array.shape)}".replace("'", "")
            wanted = f"{('N', *shape)}".replace("'", "").replace("None", "tokens")
            raise ValueError(f"{name} is {held} where {wanted} belongs to the model {card.name}")
    counts = {array.rows for array in arrays.values()}
    if len(counts) != 1 or counts == {0}:
        raise ValueError(f"its arrays have {', '.join(map(str, sorted(counts)))} entries")
    return counts.pop()


def _check_space(folder: Path, count: int, arrays: dict[str, Column]) -> None:
    """Compressed, a small file can announce more than any disk holds. More than half of it is written."""
    announced = sum(arrays[name].row_bytes for name in ("motions", "clip_seq_features")) * count // 2
    free = shutil.disk_usage(folder).free
    if announced > free:
        raise BackendError(
            "disk_full",
            f"The library takes at least {announced / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free in {folder}.",
            "Free some disk space or choose another place with --output.",
        )


def _check(rows: dict[str, NDArray[Any]], start: int, max_frames: int) -> None:
    """Raises ValueError where an entry holds impossible numbers; what lies beyond a motion's end does not matter."""
    for number, length in enumerate(rows["m_lengths"]):
        if not 0 < length <= max_frames:
            raise ValueError(f"entry {start + number} is {length} frames long")
        for values in (
            rows["motions"][number, :length],
            rows["text_features"][number],
            rows["clip_seq_features"][number],
        ):
            if not np.isfinite(values).all():
                raise ValueError(f"entry {start + number} holds numbers that are not finite")


def _clip(
    rows: dict[str, NDArray[Any]],
    number: int,
    source: str,
    card: ModelCard,
    mean: NDArray[np.float64],
    deviation: NDArray[np.float64],
) -> Clip:
    motion = rows["motions"][number, : rows["m_lengths"][number]].astype(np.float32)
    # What people see of it: no longer than other clips, and not shorter, the last pose being held.
    frames = min(max(round(len(motion) * FPS / card.layout.fps), MIN_FRAMES), MAX_FRAMES)
    positions, contacts = decoded(card.layout, motion * deviation + mean, frames)
    if not (np.abs(positions) < MAX_REACH).all():
        raise ValueError(f"with this model {source.rpartition(', ')[2]} is no motion of a person")
    last = np.minimum(np.arange(frames), len(positions) - 1)
    caption = str(rows["captions"][number])[:MAX_PROMPT]
    tokens = rows["clip_seq_features"][number].astype(np.float16)
    return Clip(
        captions=(caption if caption.strip() else NO_CAPTION,),
        positions=with_bone_lengths(positions)[last].astype(np.float32),
        contacts=np.clip(contacts[last], 0.0, 1.0).astype(np.float32),
        source=source,
        licence=LICENCE,
        features=Features(card.layout.name, card.layout.fps, motion, card.encoder, tokens),
    )


def _unit(vectors: NDArray[Any]) -> NDArray[np.float16]:
    vectors = vectors.astype(np.float64)
    return (vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)).astype(np.float16)
