# SPDX-License-Identifier: GPL-3.0-or-later
# The user's hand in panels.py; sourced by the tool that opens the window.
# Places are those of a window of 1280 x 1300 pixels. A click that misses is found out by the next `effect`.
# shellcheck shell=bash source=../hand.sh
. tests/gui/hand.sh

# A row of two prompts, 2 s and 3 s.
press 1000 153
effect "A second prompt can be typed" 'len(settings.row) == 1' || return 1
field 830 153 "a person walks forward" Tab
effect "The first prompt is typed" 'settings.prompt == "a person walks forward"' || return 1
keys 830 153 Escape
field 830 180 "a person waves" Tab
effect "The second prompt is typed" 'settings.row[0].prompt == "a person waves"' || return 1
keys 830 180 Escape
field 968 153 2
effect "The first one is to take 2 s" 'settings.seconds == 2 and settings.row[0].seconds == 3' || return 1
shot 01_row.png
press 905 258
effect "Both become one take" 'len(settings.takes) == 1 and settings.takes[0].seconds == 5 and not session.job' 240 || return 1
shot 02_row_made.png

# The library: clips are found, played, and banned.
press 808 319
glide
press 808 379
glide
keys 890 410 Return
xdotool type --delay 60 -- "wave"
effect "Clips are found while one types" 'len(found) > 3 and library.text == "wave"' || return 1
shot 03_search.png
xdotool key Return
settle
press 793 441
effect "A clip plays" 'action.name.startswith("Preview of") and settings.review.clip' || return 1
hover 905 900
shot 04_clip.png
press 793 441
effect "The same button ends it" 'not settings.review.clip' || return 1
press 975 650
effect "The clip is banned" '[each.banned for each in settings.choices] == [True]' || return 1
press 808 379
glide
press 808 323
glide
shot 05_banned.png
press 905 258
effect "A second take comes and plays" 'len(settings.takes) == 2 and not session.job and settings.active_take == 1' 240 || return 1
effect "It does without the banned clip" \
  'settings.choices[0].clip in [each.clip for each in settings.takes[0].references] and settings.choices[0].clip not in [each.clip for each in settings.takes[1].references]' || return 1
shot 06_without.png
press 843 585
effect "It is accepted" 'settings.takes[1].accepted and action and not action.name.startswith("Preview of")' || return 1

# A gap in the new action is filled.
press 808 323
glide
press 808 351
glide
press 791 1199
effect "There is a preview range" 'scene.use_preview_range' || return 1
field 865 1199 30
field 945 1199 50
effect "It is that of frames 30 to 50" '(scene.frame_preview_start, scene.frame_preview_end) == (30, 50)' || return 1
shot 07_gap.png
press 905 587
effect "The gap is filled" 'len(settings.takes) == 3 and not session.job and settings.takes[2].edited' 240 || return 1
shot 08_filled.png

# Of that take the arms alone are made anew, in the same frames.
press 782 503
effect "Only parts of the body" 'resample.use_parts' || return 1
glide
press 782 480
effect "Only some frames" 'resample.use_range' || return 1
glide
field 834 503 30
field 951 503 50
effect "From 30 to 50" '(resample.start, resample.end) == (30, 50)' || return 1
hover 905 900
shot 09_range_and_parts.png
press 905 621
effect "The arms are made anew" 'len(settings.takes) == 4 and not session.job and settings.takes[3].edited' 240 || return 1
press 808 323
glide
shot 10_made_anew.png
press 843 565
effect "It is accepted, too" 'settings.takes[3].accepted and action and not action.name.startswith("Preview of")' || return 1

# The new action becomes a clip of one's own, is found, and removed.
press 808 323
glide
press 808 351
glide
press 808 379
glide
field 870 681 "a person strolls along the canal"
press 1000 681
effect "The action is in the library" 'desk.note == "Added: a person strolls along the canal"' || return 1
shot 11_added.png
field 870 410 "stroll along the canal"
effect "It is found" 'found[0].caption == "a person strolls along the canal"' || return 1
shot 12_found.png
press 997 650
shot 13_really.png
press 975 651
effect "It is gone" 'not any("canal" in each.caption for each in found)' || return 1
shot 14_removed.png

# One of a take's references is replaced by the clip that is chosen in the library.
press 808 379
glide
press 808 323
glide
press 996 911
effect "It is banned, and that is pinned" \
  'sorted((each.banned, each.clip) for each in settings.choices)[0] == (False, found[library.active].clip) and len(settings.choices) == 3' || return 1
hover 905 900
shot 15_replaced.png
press 808 323
glide
press 808 379
glide

# A folder of clips is imported.
press 820 760
glide
press 905 863
glide
press 600 47
xdotool key ctrl+a
settle
xdotool type --delay 30 -- "$PWD/build/gui/clips"
settle
xdotool key Return
settle
# Blender completes the path and goes on editing it; a click elsewhere ends that.
press 1207 1200
shot 16_folder.png
press 1207 1256
effect "The folder is imported" 'desk.note.startswith("Imported 2 clips")' 120 || return 1
field 870 410 "a person marches aside"
effect "Its clips are found" 'found[0].caption == "a person marches aside" and found[0].library == "own"' || return 1
glide
shot 17_imported.png

# A preset.
press 982 96
field 960 147 "Short walk" Tab
press 1075 147
# Some Blenders write names in small letters.
effect "The preset is written" \
  '"short_walk.py" in map(str.lower, os.listdir(bpy.utils.user_resource("SCRIPTS", path="presets/" + presets.FOLDER)))' || return 1
hover 905 900
press 982 96
glide
shot 18_preset.png
