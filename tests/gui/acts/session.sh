# SPDX-License-Identifier: GPL-3.0-or-later
# The user's hand in session.py; sourced by the tool that opens the window.
# Places are those of a window of 1280 x 1300 pixels. A click that misses is found out by the next `effect`.
# shellcheck shell=bash source=../hand.sh
. tests/gui/hand.sh

# A prompt, and three takes of it.
shot 01_open.png
field 905 220 3
effect "Three takes are wanted" 'settings.count == 3' || return 1
field 850 153 "a person walks forward and waves" Tab
effect "The prompt is typed" 'settings.prompt == "a person walks forward and waves"' || return 1
effect "Tab only ends the typing" 'session.job is None and session.last is None' || return 1
shot 02_request.png
# Tab has gone round to the same field.
keys 850 153 Escape Return Return
effect "Enter in the prompt generates" 'session.job or settings.takes' || return 1
expect 'session.job and session.job.stage == "sampling"' 20
shot 03_generating.png
effect "Three takes come" 'len(settings.takes) == 3 and not session.job' 240 || return 1
effect "The first one plays" 'settings.active_take == 0 and action.name.startswith("Preview of")' || return 1
shot sidebar.png

# Another one of them, its reference pinned, and three more of its kind.
press 1001 368
effect "The arrow flips to the next take" 'settings.active_take == 1 and action.name.endswith("#2")' || return 1
shot 05_flipped.png
press 954 906
effect "The reference is pinned" '[each.banned for each in settings.choices] == [False]' || return 1
shot 06_pinned.png
# Room: Insert is closed, Re-sample opened.
press 808 594
glide
press 808 912
glide
shot 07_resample.png
press 902 1111
effect "Re-sampling makes three more" 'len(settings.takes) == 6 and not session.job' 240 || return 1
effect "They tell how far they went" 'settings.takes[3].edited and settings.takes[3].difference > 1' || return 1
effect "The pinned clip is among their references" \
  'settings.choices[0].clip in [each.clip for each in settings.takes[3].references]' || return 1
shot 08_resampled.png

# Accepted as a strip at frame 60.
press 808 620
glide
press 808 594
glide
press 943 626
keys 943 626 s
effect "A strip is chosen" 'settings.insert.into == "STRIP"' || return 1
field 930 672 60
effect "Frame 60 is chosen, and the preview is there" 'settings.insert.frame == 60 and scene.frame_current == 60' || return 1
shot 09_at_frame_60.png
press 843 559
effect "The strip begins at frame 60" 'action is None and [s.frame_start for s in strips] == [60]' || return 1
shot 10_strip.png

# A second prompt after it.
field 905 220 1
field 850 153 "a person sits down"
effect "Enter generates the second prompt" 'len(settings.takes) == 7 and not session.job' 240 || return 1
press 943 648
keys 943 648 e
effect "It goes to the end" 'settings.insert.place == "END" and scene.frame_current == 140' || return 1
shot 11_after_it.png
press 843 559
effect "The second strip begins where the first one ends" \
  '[s.frame_start for s in strips] == [60, 140] and strips[0].frame_end == 139' || return 1
effect "It goes on from where the character got to" 'hips_move(139, 140) < 0.08 and hips_move(60, 139) > 0.5' || return 1
shot 12_second_strip.png

# Undo, redo, save, reload.
keys 400 1000 ctrl+z
effect "Undo takes the second strip back" 'len(strips) == 1 and not settings.takes[6].accepted' || return 1
shot 13_undone.png
keys 400 1000 ctrl+shift+z
effect "Redo brings it back" 'len(strips) == 2 and settings.takes[6].accepted' || return 1
keys 400 1000 ctrl+s
effect "The file is saved" 'not bpy.data.is_dirty' || return 1
press 795 353
effect "A take gets a star" 'any(each.starred for each in settings.takes)' || return 1
press 42 14
keys 42 14 v r
effect "Revert opens the file as it was saved" 'not any(each.starred for each in settings.takes)' || return 1
effect "Strips and takes are in the file" '[s.frame_start for s in strips] == [60, 140] and len(settings.takes) == 7' || return 1
glide
# The first click after a file was opened does nothing, on buttons of Blender's own neither.
for _ in 1 2 3; do press 1001 348; expect 'action.name.startswith("Preview of")' 5 && break; done
effect "The takes of the file play" 'settings.active_take < 6 and action.name.startswith("Preview of")' || return 1
shot 14_reloaded.png
effect "Nothing of the add-on held Blender up for 20 ms while generating" 'held.tell() and held.longest < 0.020' || return 1
