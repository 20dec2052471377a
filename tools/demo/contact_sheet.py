# SPDX-License-Identifier: GPL-3.0-or-later
"""In the backend's environment: ten moments of the film in one picture.

python -m tools.demo.contact_sheet FRAMES_FOLDER FPS TITLE SHEET.png
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

COLUMNS: Final = 5
ROWS: Final = 2
TILE_WIDTH: Final = 300
GAP: Final = 6
TITLE_HEIGHT: Final = 46
PAPER: Final = (246, 247, 249)
INK: Final = (38, 48, 62)


def make(frames: Path, fps: float, title: str, sheet: Path) -> None:
    pictures = sorted(frames.glob("*.png"))
    count = min(COLUMNS * ROWS, len(pictures))
    chosen = [round(step * (len(pictures) - 1) / max(count - 1, 1)) for step in range(count)]
    tile_height = Image.open(pictures[0]).height
    size = (
        COLUMNS * TILE_WIDTH + (COLUMNS + 1) * GAP,
        TITLE_HEIGHT + ROWS * tile_height + (ROWS + 1) * GAP,
    )
    page = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((GAP + 8, TITLE_HEIGHT / 2 + 2), title, INK, ImageFont.load_default(20), anchor="lm")
    for number, index in enumerate(chosen):
        row, column = divmod(number, COLUMNS)
        left, top = GAP + column * (TILE_WIDTH + GAP), TITLE_HEIGHT + row * (tile_height + GAP)
        with Image.open(pictures[index]) as picture:
            # The camera keeps the character in the middle.
            middle = picture.width // 2
            page.paste(picture.crop((middle - TILE_WIDTH // 2, 0, middle + TILE_WIDTH // 2, tile_height)), (left, top))
        draw.text((left + 10, top + 8), f"{index / fps:.1f} s", INK, ImageFont.load_default(15))
    page.save(sheet)


if __name__ == "__main__":
    make(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
