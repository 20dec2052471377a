# SPDX-License-Identifier: GPL-3.0-or-later
"""CLIP's text tower and tokeniser against the clip package, whose files are loaded one by one.

Importing the package as a whole would pull in torchvision.
"""

from __future__ import annotations

import gzip
import importlib.util
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from official_files import random_tower, write_vocabulary
from safetensors.torch import save_file

from backend.errors import BackendError
from backend.text import load_encoder
from backend.text.bpe import CONTEXT, FOLDER_VARIABLE, VOCABULARY, Tokenizer
from backend.text.clip import NAME, WEIGHTS, Clip

if TYPE_CHECKING:
    from types import ModuleType

TEXTS = [
    "a person walks forward and waves",
    "A man's arms don't move; he'll turn 360 degrees & then he's DONE!!!",
    "the  figure\tsteps\nto the left... 'twas (quickly) done, 3.5 times",
    "“curly quotes” aren\u2019t a problem, naïve café — 走る 🏃",
    "x² ½ _under_score_ 'S ''s 'sit don'tt",
    "he says <|endoftext|> and goes on",
    "a &amp;lt; b &quot;said&quot;",
    "",
    "   ",
    "supercalifragilisticexpialidocious",
    "walk " * 200,
]


def official(file: str) -> ModuleType:
    """A file of the clip package as a module of its own, or the test is skipped."""
    package = importlib.util.find_spec("clip")
    if package is None or not package.submodule_search_locations:
        pytest.skip("the clip package is not installed (pip install --no-deps clip-anytorch==2.6.0)")
    path = Path(package.submodule_search_locations[0]) / file
    spec = importlib.util.spec_from_file_location(f"official_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ModuleNotFoundError as error:
        pytest.skip(f"the clip package needs {error.name}")
    return module


@pytest.fixture(scope="module")
def official_tokenizer() -> Any:  # noqa: ANN401  # a class of a package without types
    return official("simple_tokenizer.py").SimpleTokenizer()


def official_ids(tokenizer: Any, text: str) -> list[int]:  # noqa: ANN401
    """As clip.tokenize(text, truncate=True) does."""
    ids = [tokenizer.encoder["<|startoftext|>"], *tokenizer.encode(text), tokenizer.encoder["<|endoftext|>"]]
    if len(ids) > CONTEXT:
        ids = [*ids[: CONTEXT - 1], tokenizer.encoder["<|endoftext|>"]]
    return ids + [0] * (CONTEXT - len(ids))


@pytest.mark.parametrize("text", TEXTS)
def test_tokens_equal_the_official_ones(official_tokenizer: Any, text: str) -> None:  # noqa: ANN401
    assert Tokenizer.load().encode(text) == official_ids(official_tokenizer, text)


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's folder with a random tower and a vocabulary that merges nothing of any language."""
    folder = tmp_path_factory.mktemp("clip")
    save_file(random_tower(), folder / WEIGHTS)
    write_vocabulary(folder)
    return folder


def test_the_tower_equals_the_official_one(stand_in: Path) -> None:
    model = official("model.py").CLIP(512, 32, 1, 64, 32, 77, 49408, 512, 8, 12).float().eval()
    weights = random_tower()
    model.load_state_dict(weights, strict=False)
    encoder = Clip.load(stand_in)
    prompts = ["a person walks forward", "walk " * 200]
    ids = torch.tensor([encoder._tokenizer.encode(prompt) for prompt in prompts])
    caught = []
    model.ln_final.register_forward_hook(lambda _module, _given, rows: caught.append(rows))
    with torch.no_grad():
        sentences = model.encode_text(ids)
    features = encoder.encode(prompts)
    torch.testing.assert_close(features.tokens, caught[0], atol=1e-5, rtol=1e-5)
    expected = torch.nn.functional.normalize(sentences, dim=1)
    torch.testing.assert_close(features.sentence, expected, atol=1e-6, rtol=1e-5)


def test_all_rows_are_real_and_do_not_depend_on_the_texts_beside(stand_in: Path) -> None:
    encoder = load_encoder(NAME, stand_in)
    assert (encoder.name, encoder.token_dim, encoder.sentence_dim) == (NAME, 512, 512)
    both = encoder.encode(["walk", "a person walks"])
    assert both.tokens.shape == (2, CONTEXT, 512)
    assert both.mask.all()
    alone = encoder.encode(["a person walks"])
    assert torch.equal(both.tokens[1], alone.tokens[0])
    assert torch.equal(both.sentence[1], alone.sentence[0])
    assert not torch.equal(both.tokens[0], both.tokens[1])


def test_later_words_do_not_reach_earlier_rows(stand_in: Path) -> None:
    short, long = Clip.load(stand_in).encode(["ab", "ab cd"]).tokens
    torch.testing.assert_close(short[:3], long[:3])  # start, a, b
    assert not torch.allclose(short[3], long[3])


@pytest.mark.parametrize("damage", ["missing", "cut", "lacking", "not a number", "no gzip", "short vocabulary"])
def test_missing_and_damaged_files_are_refused(
    stand_in: Path, tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "nowhere"))
    folder = tmp_path / "model"
    folder.mkdir()
    shutil.copyfile(stand_in / VOCABULARY, folder / VOCABULARY)
    path = folder / WEIGHTS
    if damage == "cut":
        path.write_bytes((stand_in / WEIGHTS).read_bytes()[:100_000])
    elif damage == "lacking":
        save_file({"text_projection": torch.zeros(512, 512)}, path)
    elif damage == "not a number":
        save_file(random_tower() | {"ln_final.bias": torch.full((512,), torch.nan)}, path)
    elif damage == "no gzip":
        (folder / VOCABULARY).write_bytes(b"nothing")
    elif damage == "short vocabulary":
        (folder / VOCABULARY).write_bytes(gzip.compress(b"#version\na b\n"))
    with pytest.raises(BackendError) as caught:
        load_encoder(NAME, folder)
    assert caught.value.code == "encoder_damaged"


def test_a_missing_vocabulary_names_all_ways_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    with pytest.raises(BackendError, match=FOLDER_VARIABLE) as caught:
        Tokenizer.load(tmp_path)
    assert caught.value.code == "encoder_missing"
    write_vocabulary(tmp_path)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert Tokenizer.load().encode("ab")[:4] == [49406, 64, 321, 49407]


def test_without_a_models_folder_there_is_no_clip() -> None:
    with pytest.raises(BackendError, match="--model"):
        load_encoder(NAME)
