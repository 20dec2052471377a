# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py extension: the zip that Blender installs, built and validated by Blender's own tool."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
import zipfile
from typing import TYPE_CHECKING, Final

from .console import ROOT, BuildError, relative, say
from .environments import BLENDERS, ensure

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

MANIFEST: Final = ROOT / "blender_manifest.toml"
DIST: Final = ROOT / "dist"
STAGE: Final = ROOT / "build" / "extension"
# What the add-on never runs: learning happens in a checkout.
LEFT_OUT: Final = ("training", "__pycache__", "*.pyc", ".*")


def run(parser: argparse.ArgumentParser, words: list[str]) -> int:
    parser.parse_args(words)
    archive = build()
    say(f"{relative(archive)}  {archive.stat().st_size / 1e6:.1f} MB, validated")
    return 0


def build() -> Path:
    """The finished zip in dist/. The same sources give the same bytes. Raises BuildError."""
    _stage()
    version = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))["version"]
    archive = DIST / f"remodiffuse-{version}.zip"
    DIST.mkdir(exist_ok=True)
    raw = STAGE.parent / "extension-raw.zip"
    _blender_extension_tool("build", "--source-dir", STAGE, "--output-filepath", raw)
    _pack_reproducibly(raw, archive)
    _blender_extension_tool("validate", archive)
    return archive


def _stage() -> None:
    """The add-on's files at the root, the backend beneath, manifest and licence beside them."""
    shutil.rmtree(STAGE, ignore_errors=True)
    shutil.copytree(ROOT / "remodiffuse_blender", STAGE, ignore=shutil.ignore_patterns(*LEFT_OUT))
    shutil.copytree(ROOT / "backend", STAGE / "backend", ignore=shutil.ignore_patterns(*LEFT_OUT))
    for file in (MANIFEST, ROOT / "LICENSE"):
        shutil.copy(file, STAGE)


def _blender_extension_tool(*words: str | Path) -> None:
    """Blender's own blender_ext.py: plain Python inside the bpy package."""
    python = ensure(BLENDERS["4.5"])
    folder = BLENDERS["4.5"].folder
    script = next(folder.glob("**/addons_core/bl_pkg/cli/blender_ext.py"), None)
    if script is None:
        raise BuildError(
            f"Blender's extension tool is not in {relative(folder)}.", "Delete that folder and repeat the command."
        )
    result = subprocess.run([python, script, *words], capture_output=True, text=True, check=False)  # noqa: S603
    if result.returncode or "FATAL_ERROR" in result.stdout:
        raise BuildError(
            f"Blender's extension tool refused ({words[0]}):\n{result.stdout}{result.stderr}",
            "Mend what it names in blender_manifest.toml or the add-on and repeat the command.",
        )


def _pack_reproducibly(raw: Path, archive: Path) -> None:
    """Sorted names and one fixed date, written beside and renamed, so that a half-written zip never stands there."""
    partial = archive.with_suffix(".part")
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for name in sorted(source.namelist()):
            entry = zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            target.writestr(entry, source.read(name))
    partial.replace(archive)
    raw.unlink()
