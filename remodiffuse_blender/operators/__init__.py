# SPDX-License-Identifier: GPL-3.0-or-later
"""One verb a file."""

from .accept_take import AcceptTake
from .cancel import Cancel
from .flip_take import FlipTake
from .generate import Generate
from .move_to_playhead import MoveToPlayhead
from .randomize_seed import RandomizeSeed
from .reject_takes import RejectTakes
from .remove_take import RemoveTake
from .restart_backend import RestartBackend
from .star_take import StarTake
from .stop_backend import StopBackend
from .wait import Wait

CLASSES = (
    Generate,
    Cancel,
    Wait,
    FlipTake,
    StarTake,
    RemoveTake,
    MoveToPlayhead,
    AcceptTake,
    RejectTakes,
    RandomizeSeed,
    RestartBackend,
    StopBackend,
)
