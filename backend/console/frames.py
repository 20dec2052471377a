# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work that Blender watches: progress and outcome as frames on standard output. Standard library only.

One line of JSON each, as in backend.protocol: `progress`, and at the end `done` with the result, or `error`.
"""

from __future__ import annotations

import io
import json
import os
import threading
from typing import TYPE_CHECKING, Any

from ..errors import BackendError
from .streams import take_standard_streams

if TYPE_CHECKING:
    from collections.abc import Callable

    Progress = Callable[[str, int, int], None]


def watched(work: Callable[[Progress], dict[str, Any]], end: Callable[[], None] | None = None) -> int:
    """Do the work and tell about it; the exit status. Ends with Blender however Blender ends.

    `end` ends what the work has started, when nobody holds the other end of our input any more.
    """
    reader, writer = take_standard_streams()
    out = io.TextIOWrapper(writer, encoding="utf-8")
    lock = threading.Lock()

    def send(**header: object) -> None:
        with lock:
            out.write(json.dumps(header, ensure_ascii=False) + "\n")
            out.flush()

    def wait_for_the_end() -> None:
        while reader.read(1):
            pass
        if end:
            end()
        os._exit(3)

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    try:
        result = work(lambda stage, step, total: send(type="progress", id=0, stage=stage, step=step, total=total))
        send(type="done", id=0, result=result)
    except BackendError as error:
        send(type="error", id=0, code=error.code, message=error.message, remedy=error.remedy)
        return 1
    return 0
