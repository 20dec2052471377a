# SPDX-License-Identifier: GPL-3.0-or-later
"""A library of many made-up clips: how fast it is filled, opened and searched, and what it holds in memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ..library import Clip, Library
from ..motion.skeleton import CONTACT_JOINTS, JOINTS
from ..request import MAX_FRAMES, MIN_FRAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

ENCODER: Final = "all-MiniLM-L6-v2"
WIDTH: Final = 384
BATCH: Final = 1000
QUERIES: Final = 50


@dataclass(frozen=True, slots=True)
class LibraryRow:
    """`imported_per_second`: clips with known sentence vectors, checked, packed and committed; `opening_seconds`: from
    the file's name to the first answer; `query_milliseconds`: the median of the next; `resident_bytes_per_clip`: what
    the process holds more than before."""

    clips: int
    megabytes: float
    imported_per_second: float
    opening_seconds: float
    query_milliseconds: float
    resident_bytes_per_clip: float


def measure_library(clips: int) -> LibraryRow:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many.sqlite"
        begin = time.perf_counter()
        with Library.create(path) as library:
            for batch, vectors in _made_up(clips):
                library.add_indexed(batch, ENCODER, vectors)
        seconds = time.perf_counter() - begin
        # A process of its own: what this one has allocated before would hide what the library takes.
        words = [sys.executable, "-m", __name__, str(path)]
        found = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)  # noqa: S603  ourselves
        return LibraryRow(
            clips=clips,
            megabytes=path.stat().st_size / 1e6,
            imported_per_second=clips / seconds,
            opening_seconds=found["opening"],
            query_milliseconds=1e3 * found["query"],
            resident_bytes_per_clip=found["resident"] / clips,
        )


def _made_up(clips: int) -> Iterator[tuple[list[Clip], np.ndarray]]:
    """Batches of clips of all lengths, with unit sentence vectors."""
    rng = np.random.default_rng(0)
    poses = rng.normal(0.0, 0.3, (MAX_FRAMES, len(JOINTS), 3)).astype(np.float32)
    contacts = np.zeros((MAX_FRAMES, len(CONTACT_JOINTS)), np.float32)
    for first in range(0, clips, BATCH):
        numbers = range(first, min(first + BATCH, clips))
        batch = []
        for number in numbers:
            frames = int(rng.integers(MIN_FRAMES, MAX_FRAMES + 1))
            positions = poses[:frames] + np.float32(number * 1e-3)
            batch.append(Clip((f"made-up motion {number}",), positions, contacts[:frames], "made up", "CC0-1.0"))
        vectors = rng.standard_normal((len(batch), WIDTH))
        yield batch, (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def probe(path: Path) -> dict[str, float]:
    """Open and search a library: seconds of the opening, median seconds of a query, bytes held."""
    import torch

    from ..memory import held, release

    rng = np.random.default_rng(1)
    queries = torch.from_numpy(rng.standard_normal((QUERIES + 1, WIDTH)).astype(np.float32))
    queries = torch.nn.functional.normalize(queries, dim=1)
    torch.nn.functional.linear(queries[0].half(), queries.half())  # torch's own first use
    release()
    before = held("cpu")
    times = []
    begin = time.perf_counter()
    with Library.open(path) as library:
        for query in queries:
            library.search(query, ENCODER, 100.0, 8)
            times.append(time.perf_counter() - begin)
            begin = time.perf_counter()
        release()
        resident = held("cpu") - before
    return {"opening": times[0], "query": float(np.median(times[1:])), "resident": float(resident)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(probe(Path(sys.argv[1]))))
