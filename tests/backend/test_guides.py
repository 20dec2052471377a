# SPDX-License-Identifier: GPL-3.0-or-later
"""Prompts that say one thing after another are guided by clips in a row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from gaits import gait_clip
from random_model import save_random_model

from backend.guides import GuideSearch
from backend.library import Library
from backend.model_folder import load_model
from backend.request import Request

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from backend.guides import Guides
    from backend.text import TextEncoder

WALK, STAND, RUN = "a person walks forward", "a person stands still", "a person runs forward"
BOTH = f"{WALK}, then stands still"
REQUEST = Request(BOTH, 4.0)


def guides_of(
    folder: Path, encoder: TextEncoder, captions: Sequence[str], request: Request, frames: int = 80
) -> Guides:
    save_random_model(folder / "model")
    with Library.create(folder / "some.sqlite") as library:
        for caption in captions:
            library.add(replace(gait_clip(WALK if caption == BOTH else caption, 80), captions=(caption,)))
        library.index(encoder)
        return GuideSearch(lambda: [library], encoder, load_model(folder / "model").card).guides(
            request, frames, [0, 1]
        )


def captions_of(guides: Guides) -> list[list[str]]:
    return [[each.reference.caption for each in origin.clips] for origin in guides.origins if origin]


def test_each_thing_in_a_row_has_a_clip_of_its_own(tmp_path: Path, encoder: TextEncoder) -> None:
    guides = guides_of(tmp_path, encoder, [STAND, RUN, WALK], REQUEST)
    assert captions_of(guides) == [[WALK, STAND]] * 2
    assert [each.reference.caption for each in guides.references] == [WALK, STAND]
    origin = guides.origins[0]
    assert origin
    positions, contacts = origin.fitted(80)
    assert (positions.shape, contacts.shape) == ((80, 22, 3), (80, 4))
    way = np.linalg.norm(np.diff(positions[:, 0, [0, 2]], axis=0), axis=-1)
    assert way[:30].sum() > 1.0
    assert way[-20:].sum() < 0.1
    assert [fact["caption"] for fact in (origin.facts(), *origin.facts()["then"])] == [WALK, STAND]


def test_a_clip_that_shows_all_of_it_is_better(tmp_path: Path, encoder: TextEncoder) -> None:
    guides = guides_of(tmp_path, encoder, [STAND, WALK, BOTH], REQUEST)
    assert captions_of(guides) == [[BOTH]] * 2
    assert guides.origins[0]
    assert "then" not in guides.origins[0].facts()


def test_a_take_begins_with_what_the_animator_pinned(tmp_path: Path, encoder: TextEncoder) -> None:
    pinned = replace(REQUEST, pinned=(("some", 2),))
    guides = guides_of(tmp_path, encoder, [STAND, RUN, WALK], pinned)
    assert captions_of(guides) == [[RUN]] * 2
    assert guides.references[0].reference.caption == RUN


def test_too_short_a_take_for_two_things_shows_one(tmp_path: Path, encoder: TextEncoder) -> None:
    guides = guides_of(tmp_path, encoder, [STAND, WALK], replace(REQUEST, seconds=2.0), frames=40)
    assert {len(captions) for captions in captions_of(guides)} == {1}


def test_without_clips_takes_begin_with_noise(tmp_path: Path, encoder: TextEncoder) -> None:
    guides = guides_of(tmp_path, encoder, [], REQUEST)
    assert guides.references == ()
    assert guides.origins == (None, None)


def test_one_clip_guides_all_where_there_is_no_other(tmp_path: Path, encoder: TextEncoder) -> None:
    request = Request(f"{WALK}, then walks forward", 8.0)
    guides = guides_of(tmp_path, encoder, [WALK], request, frames=160)
    assert captions_of(guides) == [[WALK, WALK]] * 2
    assert [each.reference.caption for each in guides.references] == [WALK]
