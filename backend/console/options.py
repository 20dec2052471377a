# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Which model takes are sampled with, and how."""
    parser.add_argument("--model", type=Path, help="folder of the model (default: the starter model)")
    parser.add_argument(
        "--library",
        type=Path,
        action="append",
        help="a motion library to search; may be repeated (default: the one in the model's folder)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps, ... (default: auto)")
    parser.add_argument(
        "--precision",
        choices=["float32", "bfloat16"],
        default="float32",
        help="bfloat16: faster where the device has it, see bench (default: float32)",
    )
