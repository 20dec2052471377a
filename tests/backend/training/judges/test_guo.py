# SPDX-License-Identifier: GPL-3.0-or-later
"""Guo et al.'s evaluators: read from stand-ins of the published size, and compared with their formulas by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from guo_files import VOCABULARY, evaluators, write_vocabulary

from backend.errors import BackendError
from backend.model.importer import FAMILIES
from backend.training.judges.cases import Caption, Trials
from backend.training.judges.guo import REACH, GuoEvaluator, GuoJudge
from backend.training.judges.words import CATEGORIES, ROWS, VECTORS, WORDS, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable

RNG = np.random.default_rng(5)
ODD = {"movement": 10, "words": 7, "text": 6, "motion": 9, "embedding": 5}
TEXTS = [
    ("a/DET", "person/NOUN", "walk/VERB"),
    ("jump/VERB",),
    ("a/DET", "man/NOUN", "kick/VERB", "slowly/ADV", "left/ADJ", "foot/NOUN"),
    tuple(f"word{number}/NOUN" for number in range(40)),
]


def load(folder: Path, content: dict[str, Any]) -> GuoEvaluator:
    torch.save(content, folder / "finest.tar")
    return GuoEvaluator.load(folder / "finest.tar")


@pytest.fixture
def vocabulary(tmp_path: Path) -> Vocabulary:
    return Vocabulary.load(write_vocabulary(tmp_path / "glove", ODD["words"]))


class Formulas:
    """The same network in numpy, one sequence at a time and in float64."""

    def __init__(self, tensors: dict[str, torch.Tensor]) -> None:
        self._weights = {name: tensor.double().numpy() for name, tensor in tensors.items()}

    def linear(self, name: str, rows: np.ndarray) -> np.ndarray:
        return rows @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def convolution(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Every second frame looks at itself, one before and two after it; zeros stand around the motion."""
        weight = self._weights[f"{name}.weight"]
        padded = np.pad(rows, ((1, 1), (0, 0)))
        places = range(0, len(padded) - 3, 2)
        found = [np.einsum("oik,ki->o", weight, padded[place : place + 4]) for place in places]
        return rectified(np.array(found) + self._weights[f"{name}.bias"])

    def recurrent(self, rows: np.ndarray) -> np.ndarray:
        """Last states of both directions, then the head."""
        last = []
        for number, (suffix, order) in enumerate((("", rows), ("_reverse", rows[::-1]))):
            state = self._weights["hidden"][number, 0]
            for row in order:
                given = self._weights[f"gru.weight_ih_l0{suffix}"] @ row + self._weights[f"gru.bias_ih_l0{suffix}"]
                own = self._weights[f"gru.weight_hh_l0{suffix}"] @ state + self._weights[f"gru.bias_hh_l0{suffix}"]
                (reset, update, new), (own_reset, own_update, own_new) = np.split(given, 3), np.split(own, 3)
                update = sigmoid(update + own_update)
                state = (1 - update) * np.tanh(new + sigmoid(reset + own_reset) * own_new) + update * state
            last.append(state)
        hidden = self.linear("output_net.0", np.concatenate(last))
        hidden = (hidden - hidden.mean()) / np.sqrt(hidden.var() + 1e-5)
        hidden = hidden * self._weights["output_net.1.weight"] + self._weights["output_net.1.bias"]
        return self.linear("output_net.3", rectified(hidden))


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-values))


def rectified(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, values, 0.2 * values)


@pytest.mark.parametrize("features", [263, 251, 30])
def test_embeddings_are_those_of_the_formulas(tmp_path: Path, vocabulary: Vocabulary, features: int) -> None:
    content = evaluators(features, **ODD)
    network = load(tmp_path, content)
    assert network.features == features
    movement, motion, text = (Formulas(content[f"{part}_encoder"]) for part in ("movement", "motion", "text"))

    motions, lengths = RNG.standard_normal((3, 36, features)), [36, 23, 16]
    found = network.embed(list(motions), lengths)
    for rows, length, embedding in zip(motions, lengths, found, strict=True):
        tokens = movement.convolution("main.3", movement.convolution("main.0", rows[:, :-4]))
        assert len(tokens) == 9
        tokens = motion.linear("input_emb", movement.linear("out_net", tokens))
        np.testing.assert_allclose(embedding, motion.recurrent(tokens[: length // 4]), atol=2e-5)

    for words, embedding in zip(TEXTS, network.embed_texts(TEXTS, vocabulary), strict=True):
        vectors, categories = vocabulary.encode(words)
        rows = text.linear("input_emb", vectors + text.linear("pos_emb", categories))
        np.testing.assert_allclose(embedding, text.recurrent(rows), atol=2e-5)


def test_alone_in_a_batch_and_in_any_order_the_embeddings_are_the_same(tmp_path: Path, vocabulary: Vocabulary) -> None:
    network = load(tmp_path, evaluators(30, **ODD))
    motions, lengths = list(RNG.standard_normal((40, 32, 30))), RNG.integers(16, 33, 40).tolist()
    together = network.embed(motions, lengths)
    order = RNG.permutation(40)
    again = network.embed([motions[one] for one in order], [lengths[one] for one in order])
    np.testing.assert_allclose(again, together[order], atol=1e-6)
    alone = [network.embed([rows], [length])[0] for rows, length in zip(motions, lengths, strict=True)]
    np.testing.assert_allclose(alone, together, atol=1e-6)

    # What stands further behind the end than the last token looks has no influence, and what it sees has.
    behind, near = ([rows.copy() for rows in motions] for _ in range(2))
    for other, length in zip(behind, lengths, strict=True):
        other[length + REACH :] = 50.0
    for other, length in zip(near, lengths, strict=True):
        other[length // 4 * 4 : length // 4 * 4 + REACH] += 5.0
    np.testing.assert_allclose(network.embed(behind, lengths), together, atol=1e-6)
    seen = np.abs(network.embed(near, lengths) - together).max(axis=1)
    assert (seen[np.array(lengths) // 4 * 4 < 32] > 1e-3).all()

    texts = network.embed_texts(TEXTS, vocabulary)
    np.testing.assert_allclose(network.embed_texts(TEXTS[::-1], vocabulary)[::-1], texts, atol=1e-6)
    np.testing.assert_allclose(network.embed_texts(TEXTS[1:2], vocabulary)[0], texts[1], atol=1e-6)


def test_words_have_vectors_and_categories(vocabulary: Vocabulary) -> None:
    assert len(CATEGORIES) == 15
    words = (
        "a/DET",
        "walk/NOUN",
        "left/NOUN",
        "foot/VERB",
        "slowly/NOUN",
        "person/SYM",
        "zebra/NOUN",
        "walk",
        "jump/x/VERB",
    )
    vectors, categories = vocabulary.encode(words)
    named = [CATEGORIES[each] for each in categories.argmax(axis=1)]
    # Words of the lists have their list's category, whatever their tag; unknown words and tags are other ones.
    assert named == ["OTHER", "DET", "Act_VIP", "Loc_VIP", "Body_VIP", "Desc_VIP", *["OTHER"] * 5]
    assert (categories.sum(axis=1) == 1).all()
    known = ["sos", "a", "walk", "left", "foot", "slowly", "person", "unk", "unk", "unk", "eos"]
    np.testing.assert_array_equal(vectors, vocabulary.vectors[[VOCABULARY.index(word) for word in known]])

    long, _ = vocabulary.encode(["walk/VERB"] * 30)
    assert len(long) == 22
    np.testing.assert_array_equal(long[-1], vocabulary.vectors[VOCABULARY.index("eos")])


@pytest.mark.parametrize("features", [263, 251])
def test_evaluators_of_the_published_size(tmp_path: Path, features: int) -> None:
    network = load(tmp_path, evaluators(features))
    glove = Vocabulary.load(write_vocabulary(tmp_path / "glove"))
    mean, deviation = np.linspace(-1, 1, features, dtype=np.float32), np.full(features, 0.5, np.float32)
    family = FAMILIES[features]
    judge = GuoJudge(network, glove, Trials([], family, mean, deviation), 196)
    rows = RNG.standard_normal((196, features))
    found = judge.embed([rows, rows[:60], rows[:60]], [196, 60, 60])
    assert found.shape == (3, 512)
    np.testing.assert_allclose(found[1], found[2], atol=1e-6)
    assert judge.embed_texts([Caption("", words) for words in TEXTS]).shape == (4, 512)
    assert judge.features == features

    # Of HumanML3D padding is zero once normalised, of KIT-ML before: 60 frames end where tokens begin.
    padding = np.zeros(features) if features == 263 else -mean / deviation
    by_hand = np.concatenate([(rows[:60] - mean) / deviation, np.tile(padding, (136, 1))])
    np.testing.assert_allclose(found[1], network.embed([by_hand], [60])[0], rtol=1e-5, atol=1e-6)
    other = replace(family, padded_raw=not family.padded_raw)
    padded_otherwise = GuoJudge(network, glove, Trials([], other, mean, deviation), 196)
    assert np.abs(padded_otherwise.embed([rows[:60]], [60])[0] - found[1]).max() > 1e-5


class _Code:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("code_was_run"),)


def _without(part: str, name: str) -> Callable[[dict[str, Any]], object]:
    return lambda content: content[part].pop(name)


def _with(part: str, name: str, tensor: torch.Tensor) -> Callable[[dict[str, Any]], object]:
    return lambda content: content[part].update({name: tensor})


DAMAGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "code": lambda content: content.update(hook=_Code()),
    "no texts": lambda content: content.pop("text_encoder"),
    "no table": lambda content: content.update(text_encoder=[1, 2]),
    "an empty part": lambda content: content.update(text_encoder={}),
    "a number for a tensor": lambda content: content["motion_encoder"].update(hidden=3),
    "no bias": _without("movement_encoder", "main.0.bias"),
    "no state": _without("text_encoder", "hidden"),
    "no backward direction": _without("motion_encoder", "gru.weight_ih_l0_reverse"),
    "no states' weights": _without("motion_encoder", "gru.weight_hh_l0"),
    "no convolution": lambda content: [
        content["movement_encoder"].pop(f"main.3.{each}") for each in ("weight", "bias")
    ],
    "a second layer": _with("motion_encoder", "gru.weight_ih_l1", torch.zeros(27, 18)),
    "a further layer": _with("text_encoder", "extra.weight", torch.zeros(4, 4)),
    "another kernel": _with("movement_encoder", "main.0.weight", torch.zeros(10, 26, 3)),
    "no number": _with("text_encoder", "output_net.3.bias", torch.full((5,), torch.nan)),
    "more categories": _with("text_encoder", "pos_emb.weight", torch.zeros(7, 17)),
    "another width": _with("motion_encoder", "input_emb.weight", torch.zeros(9, 11)),
    "a gigantic claim": _with("motion_encoder", "gru.weight_ih_l0", torch.zeros(3 * 10**6, 1)),
    "a gigantic tensor": _with("text_encoder", "pos_emb.weight", torch.tensor(0.0).expand(1 << 15, 1 << 15)),
    "a tensor without numbers": _with("text_encoder", "pos_emb.weight", torch.zeros(0, 15)),
    "a number alone": _with("text_encoder", "pos_emb.weight", torch.tensor(1.0)),
    "other embeddings": lambda content: content["text_encoder"].update(
        {"output_net.3.weight": torch.zeros(4, 6), "output_net.3.bias": torch.zeros(4)}
    ),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_another_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[dict[str, Any]], object]
) -> None:
    monkeypatch.chdir(tmp_path)
    content = evaluators(30, **ODD)
    damage(content)
    with pytest.raises(BackendError, match=r"finest\.tar") as caught:
        load(tmp_path, content)
    assert "train evaluator" in caught.value.remedy
    assert not Path("code_was_run").exists()


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04", None], ids=["empty", "text", "zip", "none"])
def test_what_is_no_checkpoint_at_all_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "finest.tar"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BackendError, match=r"finest\.tar"):
        GuoEvaluator.load(path)
    with pytest.raises(BackendError):
        GuoEvaluator.load(tmp_path)


def test_a_cut_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "finest.tar"
    torch.save(evaluators(30, **ODD), path)
    content = path.read_bytes()
    for share in (0.2, 0.7, 0.999):
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(BackendError, match=r"finest\.tar"):
            GuoEvaluator.load(path)


def test_a_checkpoint_of_the_older_form_is_refused(tmp_path: Path) -> None:
    """What it unpickles to cannot be told beforehand."""
    torch.save(evaluators(30, **ODD), tmp_path / "finest.tar", _use_new_zipfile_serialization=False)
    with pytest.raises(BackendError, match=r"PyTorch 1\.6 or newer"):
        GuoEvaluator.load(tmp_path / "finest.tar")


BROKEN: dict[str, Callable[[Path], object]] = {
    "no vectors": lambda folder: (folder / VECTORS).unlink(),
    "no words": lambda folder: (folder / WORDS).unlink(),
    "code": lambda folder: (folder / WORDS).write_bytes(b"cposix\nsystem\n(S'touch code_was_run'\ntR."),
    "rows for words": lambda folder: (folder / WORDS).write_bytes((folder / ROWS).read_bytes()),
    "words for rows": lambda folder: (folder / ROWS).write_bytes((folder / WORDS).read_bytes()),
    "fewer vectors": lambda folder: np.save(folder / VECTORS, np.zeros((4, 7))),
    "no number": lambda folder: np.save(folder / VECTORS, np.full((20, 7), np.nan)),
    "no table": lambda folder: np.save(folder / VECTORS, np.zeros(20)),
    "objects": lambda folder: np.save(folder / VECTORS, np.array([_Code()], object), allow_pickle=True),
    "cut": lambda folder: (folder / VECTORS).write_bytes((folder / VECTORS).read_bytes()[:-50]),
    "an archive": lambda folder: (folder / VECTORS).write_bytes(b"PK\x03\x04"),
    "no unknown word": lambda folder: (folder / WORDS).write_bytes(b"\x80\x04]\x8c\x01aa."),
}


@pytest.mark.parametrize("damage", BROKEN.values(), ids=BROKEN)
def test_another_vocabulary_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], object]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = write_vocabulary(tmp_path / "glove", 7)
    damage(folder)
    with pytest.raises(BackendError, match="vocabulary") as caught:
        Vocabulary.load(folder)
    assert "--glove" in caught.value.remedy
    assert not Path("code_was_run").exists()


def test_a_vocabulary_of_another_width_is_refused(tmp_path: Path, vocabulary: Vocabulary) -> None:
    network = load(tmp_path, evaluators(30, **ODD | {"words": 8}))
    with pytest.raises(BackendError, match="7 numbers") as caught:
        network.embed_texts(TEXTS, vocabulary)
    assert "--glove" in caught.value.remedy
