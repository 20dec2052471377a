# SPDX-License-Identifier: GPL-3.0-or-later
"""ReMoDiffuse for Blender: type a prompt, get keyframed motion on any humanoid rig."""

# bpy is imported inside the functions: without it the package can still be imported for its maths.


def register() -> None:
    from . import registration

    registration.register()


def unregister() -> None:
    from . import registration

    registration.unregister()
