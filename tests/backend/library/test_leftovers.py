# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import TYPE_CHECKING

from gaits import gait_clip

from backend.library import Library

if TYPE_CHECKING:
    from pathlib import Path


def test_the_log_of_a_deleted_library_does_not_spoil_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "mine.sqlite"
    old = Library.create(path)
    old.add(gait_clip("a person walks forward", 60))
    log = (tmp_path / "mine.sqlite-wal").read_bytes()
    assert log
    old.close()
    path.unlink()
    (tmp_path / "mine.sqlite-wal").write_bytes(log)

    with Library.create(path) as new:
        assert len(new) == 0
        new.add(gait_clip("a person runs forward", 60))
        assert len(new) == 1
