# SPDX-License-Identifier: GPL-3.0-or-later
"""One verb a file."""

from .accept_take import AcceptTake
from .cancel import Cancel
from .generate import Generate
from .randomize_seed import RandomizeSeed
from .reject_takes import RejectTakes
from .restart_backend import RestartBackend
from .stop_backend import StopBackend
from .wait import Wait

CLASSES = (Generate, Cancel, Wait, AcceptTake, RejectTakes, RandomizeSeed, RestartBackend, StopBackend)
