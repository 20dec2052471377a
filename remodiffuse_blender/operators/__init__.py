# SPDX-License-Identifier: GPL-3.0-or-later
"""One verb a file."""

from .accept_take import AcceptTake
from .add_clip import AddClip
from .add_preset import AddPreset
from .add_prompt import AddPrompt
from .another_seed import AnotherSeed
from .cancel import Cancel
from .cancel_fetch import CancelFetch
from .cancel_import import CancelImport
from .cancel_installation import CancelInstallation
from .choose_reference import ChooseReference
from .clear_choices import ClearChoices
from .clear_reference_pose import ClearReferencePose
from .detect_bones import DetectBones
from .fetch_model import FetchModel
from .fill_gap import FillGap
from .flip_take import FlipTake
from .generate import Generate
from .generate_on_enter import GenerateOnEnter
from .import_clips import ImportClips
from .install_backend import InstallBackend
from .load_bone_map import LoadBoneMap
from .load_library import LoadLibrary
from .move_to_playhead import MoveToPlayhead
from .play_clip import PlayClip
from .randomize_seed import RandomizeSeed
from .reject_takes import RejectTakes
from .remove_clip import RemoveClip
from .remove_prompt import RemovePrompt
from .remove_take import RemoveTake
from .repair_backend import RepairBackend
from .repeat_request import RepeatRequest
from .replace_reference import ReplaceReference
from .report_rig import ReportRig
from .resample import Resample
from .restart_backend import RestartBackend
from .save_bone_map import SaveBoneMap
from .save_library import SaveLibrary
from .search_library import SearchLibrary
from .star_take import StarTake
from .stop_backend import StopBackend
from .stop_clip import StopClip
from .switch_travel import SwitchTravel
from .uninstall_backend import UninstallBackend
from .unload_library import UnloadLibrary
from .use_reference_pose import UseReferencePose
from .wait import Wait

CLASSES = (
    Generate,
    GenerateOnEnter,
    Cancel,
    Wait,
    RemovePrompt,
    AddPrompt,
    AddPreset,
    ClearChoices,
    ChooseReference,
    ReplaceReference,
    FillGap,
    Resample,
    AnotherSeed,
    FlipTake,
    StarTake,
    RemoveTake,
    MoveToPlayhead,
    AcceptTake,
    RejectTakes,
    RandomizeSeed,
    RestartBackend,
    StopBackend,
    InstallBackend,
    CancelInstallation,
    RepairBackend,
    UninstallBackend,
    FetchModel,
    CancelFetch,
    RepeatRequest,
    SwitchTravel,
    DetectBones,
    SaveBoneMap,
    LoadBoneMap,
    UseReferencePose,
    ClearReferencePose,
    ReportRig,
    SearchLibrary,
    PlayClip,
    StopClip,
    AddClip,
    RemoveClip,
    ImportClips,
    CancelImport,
    LoadLibrary,
    SaveLibrary,
    UnloadLibrary,
)
