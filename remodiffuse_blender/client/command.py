# SPDX-License-Identifier: GPL-3.0-or-later
"""How the backend is started: which Python, with which words, in which folder and environment."""

from __future__ import annotations

import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..shared import BackendError, protocol

CHOOSE: Final = "Open Preferences > Add-ons > ReMoDiffuse and install the backend, or choose one of your own."

# Blender's own Python settings would mislead another Python; nothing is to be fetched from the network behind our back.
FOREIGN: Final = (
    "HF_HUB_OFFLINE",
    "TRANSFORMERS_OFFLINE",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
)
OFFLINE: Final = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}


@dataclass(frozen=True, slots=True)
class Command:
    """What is started, as a list of words: no shell ever reads it."""

    words: tuple[str, ...]
    folder: Path
    """Where it is started: the folder that holds `backend/`."""
    online: bool = False
    """Whether it may fetch something: only what the animator asked for, while Blender may go online."""

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        network = {} if self.online else OFFLINE
        return kept | network | {"PYTHONPATH": str(self.folder), "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}


def program_folder() -> Path:
    """The folder that holds `backend/`."""
    return Path(protocol.__file__).resolve().parent.parent


def backend_command(chosen: str, device: str = "auto", options: tuple[str, ...] = ()) -> Command:
    """The command for the Python at `chosen`: an executable, or the folder of a virtual environment.

    Raises `BackendError` where nothing is chosen or nothing can be started there.
    """
    # Not resolved: the link in a virtual environment is what makes it one.
    words = (str(python_at(chosen)), "-m", "backend", "serve", "--device", device, *options)
    return Command(words, program_folder())


def python_at(chosen: str) -> Path:
    """Raises `BackendError` where there is no program."""
    if not chosen.strip():
        raise BackendError("no_backend", "No backend is set up yet.", CHOOSE)
    path = Path(chosen).expanduser()
    # A relative path could lead into the folder of whatever .blend is open.
    if not path.is_absolute():
        raise BackendError("no_backend", f"{chosen} is not a full path.", CHOOSE)
    if path.is_dir():
        inside = ("bin/python", "Scripts/python.exe", "python.exe")
        path = next((path / name for name in inside if (path / name).is_file()), path)
    if not path.is_file():
        raise BackendError("no_backend", f"There is no Python at {chosen}.", CHOOSE)
    if not os.access(path, os.X_OK):
        raise BackendError("no_backend", f"{chosen} is not a program.", CHOOSE)
    return path


def own_command(text: str) -> Command:
    """A command of the animator's own that serves on its standard streams, such as `ssh HOST python -m backend serve`.

    No shell reads it. Its program is a full path or a name on the PATH. Raises `BackendError` where there is none.
    """
    try:
        words = split(text, windows=os.name == "nt")
    except ValueError as error:
        raise BackendError("no_backend", f"The backend's command cannot be read: {error}.", CHOOSE) from error
    if not words:
        raise BackendError("no_backend", "The backend's command is empty.", CHOOSE)
    named = Path(words[0]).expanduser()
    found = shutil.which(named) if named.is_absolute() or named.name == words[0] else None
    if found is None:
        raise BackendError("no_backend", f"There is no program {words[0]}.", CHOOSE)
    return Command((found, *words[1:]), program_folder())


def split(text: str, *, windows: bool) -> list[str]:
    """The words of a command, without the quotes around them. On Windows a backslash is no escape.

    Raises ValueError where a quote is not closed.
    """
    if not windows:
        return shlex.split(text)
    words = shlex.split(text, posix=False)
    return [word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'" else word for word in words]
