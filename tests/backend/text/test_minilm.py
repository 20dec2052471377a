# SPDX-License-Identifier: GPL-3.0-or-later
"""The real MiniLM weights from the installed package."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import nn

from backend.errors import BackendError
from backend.text import CachedEncoder, load_encoder
from backend.text import cache as cache_module
from backend.text.minilm import FILES, FOLDER_VARIABLE, MAX_TOKENS, NAME, MiniLM, _installed_folder

if TYPE_CHECKING:
    from pathlib import Path

PROMPT = "a person walks forward and waves"


@pytest.fixture(scope="module")
def minilm() -> MiniLM:
    return MiniLM.load()


def reference_layers(weights: dict[str, torch.Tensor]) -> list[nn.TransformerEncoderLayer]:
    """The six layers built of torch's own transformer: an oracle that shares no code with ours."""
    layers = []
    for i in range(6):
        layer = nn.TransformerEncoderLayer(384, 12, 1536, 0.0, "gelu", 1e-12, batch_first=True)
        state = {}
        for kind in ("weight", "bias"):
            part = {key: weights[f"encoder.layer.{i}.{key}.{kind}"] for key in ORACLE_KEYS}
            query, key, value = (part[f"attention.self.{name}"] for name in ("query", "key", "value"))
            state[f"self_attn.in_proj_{kind}"] = torch.cat([query, key, value])
            state[f"self_attn.out_proj.{kind}"] = part["attention.output.dense"]
            state[f"norm1.{kind}"] = part["attention.output.LayerNorm"]
            state[f"linear1.{kind}"] = part["intermediate.dense"]
            state[f"linear2.{kind}"] = part["output.dense"]
            state[f"norm2.{kind}"] = part["output.LayerNorm"]
        layer.load_state_dict(state)
        layers.append(layer.train())  # dropout is 0; training mode avoids torch's fused path
    return layers


ORACLE_KEYS = (
    *(f"attention.self.{name}" for name in ("query", "key", "value")),
    *("attention.output.dense", "attention.output.LayerNorm"),
    *("intermediate.dense", "output.dense", "output.LayerNorm"),
)


def test_layers_agree_with_torchs_own_transformer(minilm: MiniLM) -> None:
    folder = _installed_folder()
    rows = minilm.encode([PROMPT]).tokens
    expected = rows[..., :384]
    with torch.no_grad():
        for layer in reference_layers(load_file(folder / "model.safetensors")):
            expected = layer(expected)
    torch.testing.assert_close(rows[..., 384:], expected, atol=1e-5, rtol=0)


def test_embedding_rows_are_the_normalised_sum_of_word_position_and_kind(minilm: MiniLM) -> None:
    folder = _installed_folder()
    weights = load_file(folder / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    ids = tokenizer.encode(PROMPT).ids
    table = "embeddings.{}_embeddings.weight"
    row = weights[table.format("word")][ids[3]] + weights[table.format("position")][3]
    row += weights[table.format("token_type")][0]
    row = (row - row.mean()) / row.std(unbiased=False)
    row = row * weights["embeddings.LayerNorm.weight"] + weights["embeddings.LayerNorm.bias"]
    torch.testing.assert_close(minilm.encode([PROMPT]).tokens[0, 3, :384], row, atol=1e-5, rtol=0)


def test_shapes_mask_and_unit_sentences(minilm: MiniLM) -> None:
    features = minilm.encode(["walk", PROMPT])
    lengths = features.mask.sum(1).tolist()
    assert lengths == [3, 8]  # [CLS], the words, [SEP]
    assert features.tokens.shape == (2, 8, minilm.token_dim)
    assert not features.tokens[0, 3:].any()
    torch.testing.assert_close(features.sentence.norm(dim=1), torch.ones(2))


def test_features_do_not_depend_on_the_texts_beside(minilm: MiniLM) -> None:
    alone = minilm.encode([PROMPT])
    beside = minilm.encode(["he sits", PROMPT, "the man jumps up and down for a very long while"])
    assert torch.equal(alone.sentence[0], beside.sentence[1])
    assert torch.equal(alone.tokens[0], beside.tokens[1, :8])


def test_paraphrases_are_nearer_than_other_actions(minilm: MiniLM) -> None:
    said, same, other = minilm.encode(
        ["a person walks forward", "a human is strolling ahead", "he takes a seat on the chair"]
    ).sentence
    assert said @ same > said @ other + 0.2


def test_long_prompts_are_cut_and_odd_ones_encoded(minilm: MiniLM) -> None:
    features = minilm.encode(["walk " * 200, "走る 🏃", "   "])
    assert features.mask.sum(1).max() == MAX_TOKENS
    assert torch.isfinite(features.tokens).all()


def test_loading_and_encoding_are_quick() -> None:
    start = time.process_time()
    encoder = MiniLM.load()
    assert time.process_time() - start < 2.0
    times = []
    for _ in range(7):
        start = time.process_time()
        encoder.encode([PROMPT])
        times.append(time.process_time() - start)
    assert min(times) < 0.02


def test_cache_is_bounded_and_changes_nothing(minilm: MiniLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "CACHED_TEXTS", 2)
    cached = CachedEncoder(minilm)
    for text in (PROMPT, "walk", PROMPT, "run", "sit"):
        assert torch.equal(cached.encode([text]).tokens, minilm.encode([text]).tokens)
    assert list(cached._known) == ["run", "sit"]


def test_missing_and_altered_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BackendError, match=FOLDER_VARIABLE):
        MiniLM.load(tmp_path)
    for file in FILES:
        shutil.copyfile(_installed_folder() / file, tmp_path / file)
    with (tmp_path / "model.safetensors").open("r+b") as stream:
        stream.seek(1_000_000)
        stream.write(b"\x00\x01\x02\x03")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(BackendError) as caught:
        load_encoder(NAME)
    assert caught.value.code == "encoder_damaged"


def test_unknown_encoder_is_named() -> None:
    with pytest.raises(BackendError, match="ViT-B/32"):
        load_encoder("ViT-B/32")
