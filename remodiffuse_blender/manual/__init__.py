# SPDX-License-Identifier: GPL-3.0-or-later
"""Right-click > Online Manual: it lies beside this file, so that it fits this version and needs no network."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import bpy

_OPERATORS: Final = {
    "takes": "accept_take flip_take reject_takes remove_take star_take",
    "insert": "move_to_playhead",
    "references": "choose_reference clear_choices replace_reference",
    "resample": "another_seed fill_gap resample",
    "library": "add_clip cancel_import import_clips load_library play_clip remove_clip save_library search_library "
    "stop_clip unload_library",
    "retargeting": "*bone* *reference_pose report_rig",
    "backend": "*_backend *installation *fetch* fetch_model",
}
_TYPES: Final = {
    "takes": "remodiffusetake remodiffusereview",
    "insert": "remodiffuseinsert",
    "references": "remodiffusereference remodiffusechoice",
    "resample": "remodiffuseresample",
    "library": "remodiffuselibrary remodiffusefound",
    "retargeting": "remodiffuseretarget* remodiffusebone* remodiffusejoint*",
    "backend": "*remodiffusepreferences",
}


def links() -> tuple[str, tuple[tuple[str, str], ...]]:
    """For Blender: where the manual lies, and which pattern of names is told of where in it. The first match counts."""
    found = [
        (f"bpy.{kind}.{prefix}{name}{rest}", f"index.html#{place}")
        for kind, prefix, rest, table in (("ops", "remodiffuse.", "*", _OPERATORS), ("types", "", ".*", _TYPES))
        for place, names in table.items()
        for name in names.split()
    ]
    # Whatever is left belongs to the request.
    found += [("bpy.ops.remodiffuse.*", "index.html#generate"), ("bpy.types.remodiffuse*", "index.html#generate")]
    return f"{Path(__file__).resolve().parent.as_uri()}/", tuple(found)


def register() -> None:
    bpy.utils.register_manual_map(links)


def unregister() -> None:
    bpy.utils.unregister_manual_map(links)
