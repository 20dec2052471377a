# SPDX-License-Identifier: GPL-3.0-or-later
"""The one error that the backend shows to people."""

from __future__ import annotations


class BackendError(Exception):
    """Something went wrong that the animator can act on.

    `code` is a stable word for programs ("bad_request", "library_empty", ...), `message` says what
    happened in one sentence, `remedy` says in one sentence what to do about it. The command line and
    the sidebar show the same two sentences.
    """

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(f"{message} {remedy}")
        self.code = code
        self.message = message
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[BackendError], tuple[str, str, str]]:
        """The way back from a process that works for another."""
        return type(self), (self.code, self.message, self.remedy)


class CancelledError(Exception):
    """The animator pressed Cancel; raised between two denoising steps."""
