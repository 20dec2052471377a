# SPDX-License-Identifier: GPL-3.0-or-later
"""A human figure found in the build of a skeleton alone, for bones whose names say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .rest_pose import RestPose


def find_by_structure(rest: RestPose) -> dict[str, int]:
    return {}
