# SPDX-License-Identifier: GPL-3.0-or-later
"""Rig Report: what was made of the rig, and how well it follows the active take, or what its action shows."""

import bpy

from .. import rig_report, target
from .verb import Verb


class ReportRig(Verb, bpy.types.Operator):
    """Measure how well this armature follows the active take, or how its action looks. Nothing is changed"""

    bl_idname = "remodiffuse.report_rig"
    bl_label = "Rig Report"
    precondition = staticmethod(target.check)

    def act(self, context: bpy.types.Context) -> str:
        report = rig_report.of_active(context)
        return report.problem or (f"Measured {report.measured}" if report.measured else "There is no motion to measure")
