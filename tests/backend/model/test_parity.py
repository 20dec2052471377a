# SPDX-License-Identifier: GPL-3.0-or-later
"""Parity with the official code, by its golden numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from backend.errors import BackendError
from backend.verify import main, verify

GOLDEN = Path(__file__).parents[2] / "fixtures" / "parity_small.npz"


def test_every_stage_equals_the_official_code() -> None:
    rows = verify(GOLDEN)
    assert [row for row in rows if not row.ok] == []
    assert {"retrieve/by_test_index", "retrieve/by_train_index_sorted"} <= {row.name for row in rows}
    stages = {row.name.split("/")[0] for row in rows}
    assert stages == {"sched", "retrieve", "test", "inside", "ddim", "train"}


def test_a_changed_weight_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arrays = dict(np.load(GOLDEN))
    # No name of a row: the bias of one layer's reference keys, which only samples with references can show.
    arrays["sd/model.temporal_decoder_blocks.0.ca_block.value_retr.bias"] += 0.01
    np.savez(tmp_path / "changed.npz", **arrays)
    assert main([str(tmp_path / "changed.npz"), "--json"]) == 1
    failed = {row["name"] for row in json.loads(capsys.readouterr().out) if not row["ok"]}
    assert {"test/out_both t=999", "test/out_retr t=999", "ddim/sample", "train/pred"} <= failed
    assert "test/out_text t=999" not in failed
    assert "test/re_motion" not in failed


@pytest.mark.parametrize("content", [b"", b"PK nothing", b"\x80\x04K\x01."])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.npz"
    path.write_bytes(content)
    with pytest.raises(BackendError, match=r"other\.npz"):
        verify(path)

    with pytest.raises(BackendError, match=r"absent\.npz"):
        verify(tmp_path / "absent.npz")


def test_a_golden_file_without_an_array_is_refused(tmp_path: Path) -> None:
    arrays = dict(np.load(GOLDEN))
    del arrays["test/xf_out"]
    np.savez(tmp_path / "short.npz", **arrays)
    with pytest.raises(BackendError, match="xf_out"):
        verify(tmp_path / "short.npz")


@pytest.mark.parametrize(
    "size", ["num_layers", "text_num_layers", "latent_dim", "ff_size", "max_seq_len", "input_feats"]
)
def test_sizes_that_no_weights_go_with_are_told_before_memory_is_taken(tmp_path: Path, size: str) -> None:
    with np.load(GOLDEN) as arrays:
        content = dict(arrays)
    sizes = json.loads(str(content["config_json"]))
    content["config_json"] = np.array(json.dumps(sizes | {size: 10_000_000}))
    np.savez(tmp_path / "huge.npz", **content)
    with pytest.raises(BackendError) as caught:
        verify(tmp_path / "huge.npz")
    assert caught.value.remedy
