# SPDX-License-Identifier: GPL-3.0-or-later
"""From a Motion to the bones of a rig.

    rest = read_rest_pose(armature_object)              # armature.py, the only file here that knows bpy
    bone_map = map_bones(rest)                          # detect.py; raises BackendError("no_humanoid", ...)
    channels = solve(rest, bone_map, motion, fps=24.0)  # solve.py; numpy, no scene evaluation
    action = timeline.write_action(armature_object, channels, name, frame_start)

Nothing of the rig is changed on the way but for the new action.
"""
