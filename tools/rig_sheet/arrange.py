# SPDX-License-Identifier: GPL-3.0-or-later
"""In the backend's environment: the pictures of a folder on one sheet, a column a rig, a row a moment.

python -m tools.rig_sheet.arrange FOLDER TITLE SHEET.png
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from ..demo.contact_sheet import GAP, INK, PAPER, TITLE_HEIGHT

TILE: Final = (216, 270)
HEADING_HEIGHT: Final = 26


def make(folder: Path, title: str, sheet: Path) -> None:
    told = json.loads((folder / "sheet.json").read_text(encoding="utf-8"))
    columns, rows = len(told["titles"]), len(told["seconds"])
    top = TITLE_HEIGHT + HEADING_HEIGHT
    page = Image.new("RGB", (columns * (TILE[0] + GAP) + GAP, top + rows * (TILE[1] + GAP)), PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((GAP + 8, TITLE_HEIGHT / 2 + 2), title, INK, ImageFont.load_default(20), anchor="lm")
    for column, heading in enumerate(told["titles"]):
        left = GAP + column * (TILE[0] + GAP)
        draw.text(
            (left + 4, TITLE_HEIGHT + HEADING_HEIGHT / 2 - 3), heading, INK, ImageFont.load_default(13), anchor="lm"
        )
        for row, seconds in enumerate(told["seconds"]):
            at = (left, top + row * (TILE[1] + GAP))
            with Image.open(folder / f"{column}-{row}.png") as picture:
                page.paste(picture.resize(TILE, Image.Resampling.LANCZOS), at)
            if not column:
                draw.text((at[0] + 8, at[1] + 6), f"{seconds:.1f} s", INK, ImageFont.load_default(14))
    # A palette will do, and the file is half as large.
    page.quantize(256).save(sheet, optimize=True)


if __name__ == "__main__":
    make(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
