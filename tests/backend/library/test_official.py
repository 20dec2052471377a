# SPDX-License-Identifier: GPL-3.0-or-later
"""Official retrieval databases become libraries: everything arrives, in little memory, or nothing is written."""

from __future__ import annotations

import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from official_files import database
from random_model import CONFIG, random_network

from backend.commands.library import main
from backend.errors import BackendError
from backend.library import Library
from backend.library.retrieval import choose, hybrid_scores
from backend.model.importer import FAMILIES
from backend.model_card import ModelCard
from backend.model_folder import save_model
from backend.motion.decoding import decoded
from backend.motion.skeleton import with_bone_lengths

LENGTHS = [60, 196, 8, 100, 60]
CAPTIONS = ["a person walks", "he's running", "", "x" * 2000, "a person walks"]
ROOT = Path(__file__).parents[3]


def save_official_like(folder: Path, features: int) -> ModelCard:
    """A small model that reads databases of the official size."""
    config = replace(CONFIG, features=features, token_width=512, reference_token_width=512)
    card = ModelCard("small", "1", "CC0-1.0", "clip-vit-b-32", config, FAMILIES[features].layout)
    torch.manual_seed(1)
    mean, deviation = 0.01 * torch.randn(features), 0.01 + 0.1 * torch.rand(features)
    return save_model(folder, card, random_network(config).state_dict(), mean, deviation)


@pytest.fixture(params=[263, 251], ids=["t2m", "kit"])
def features(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_everything_in_the_database_arrives(tmp_path: Path, features: int, save: object) -> None:
    assert callable(save)
    card = save_official_like(tmp_path / "model", features)
    arrays = database(LENGTHS, CAPTIONS, features)
    arrays["motions"][0, 60:] = np.nan  # nobody looks beyond a motion's end
    save(tmp_path / "text_train.npz", **arrays, train_indexes=np.zeros((3, 2), int))
    words = ["import", "official", str(tmp_path / "text_train.npz"), "--model", str(tmp_path / "model")]
    assert main(words) == 0
    with Library.open(tmp_path / "model" / "library.sqlite") as library:
        assert library.name == "library"
        clips = [library.clip(number) for number in library.clips()]
        query = torch.nn.functional.normalize(torch.randn(512), dim=0)
        own = [8, 31, 100, 196]
        found = [library.search(query, card.encoder, n * 20 / card.layout.fps, 2) for n in own]
    assert [clip.captions for clip in clips] == [
        (CAPTIONS[0],),
        (CAPTIONS[1],),
        ("(no caption)",),
        ("x" * 1000,),
        (CAPTIONS[4],),
    ]
    for number, clip in enumerate(clips):
        assert clip.features is not None
        rows = arrays["motions"][number, : LENGTHS[number]]
        np.testing.assert_array_equal(clip.features.rows, rows)
        np.testing.assert_array_equal(clip.features.tokens, arrays["clip_seq_features"][number])
        assert clip.features.layout == card.layout.name
        assert clip.source == f"text_train.npz, entry {number}"
        assert clip.frames == min(max(round(LENGTHS[number] * 20 / card.layout.fps), 16), 196)
    for length, matches in zip(own, found, strict=True):
        scores = hybrid_scores(query.numpy(), arrays["text_features"], length, LENGTHS)
        assert [match.clip - 1 for match in matches] == choose(scores, range(len(scores)), 2)
        np.testing.assert_allclose([match.score for match in matches], np.sort(scores)[::-1][:2], atol=1e-3)


def test_positions_are_the_features_on_our_bones(tmp_path: Path, features: int) -> None:
    card = save_official_like(tmp_path / "model", features)
    arrays = database([60, 60], ["a", "b"], features)
    np.savez(tmp_path / "a.npz", **arrays)
    output = tmp_path / "own.sqlite"
    assert (
        main(
            ["import", "official", str(tmp_path / "a.npz"), "--model", str(tmp_path / "model"), "--output", str(output)]
        )
        == 0
    )
    torch.manual_seed(1)
    mean, deviation = 0.01 * torch.randn(features), 0.01 + 0.1 * torch.rand(features)
    with Library.open(output) as library:
        clip = library.clip(2)
    rows = arrays["motions"][1, :60] * deviation.double().numpy() + mean.double().numpy()
    positions, _ = decoded(card.layout, rows, clip.frames)
    np.testing.assert_allclose(clip.positions, with_bone_lengths(positions), atol=2e-3)


DAMAGES = {
    "no motions": lambda arrays: arrays.pop("motions"),
    "no tokens": lambda arrays: arrays.pop("clip_seq_features"),
    "short motions": lambda arrays: arrays.update(motions=arrays["motions"][:, :100]),
    "other features": lambda arrays: arrays.update(motions=arrays["motions"][..., :251]),
    "flat motions": lambda arrays: arrays.update(motions=arrays["motions"][:, 0]),
    "integers": lambda arrays: arrays.update(motions=arrays["motions"].astype(int)),
    "narrow text": lambda arrays: arrays.update(text_features=arrays["text_features"][:, :256]),
    "fewer captions": lambda arrays: arrays.update(captions=arrays["captions"][:-1]),
    "objects": lambda arrays: arrays.update(captions=arrays["captions"].astype(object)),
    "too long": lambda arrays: arrays["m_lengths"].__setitem__(2, 197),
    "no length": lambda arrays: arrays["m_lengths"].__setitem__(2, 0),
    "not a number": lambda arrays: arrays["motions"].__setitem__((3, 5, 7), np.nan),
    "infinite text": lambda arrays: arrays["text_features"].__setitem__((1, 5), np.inf),
    "columns first": lambda arrays: arrays.update(motions=np.asfortranarray(arrays["motions"])),
    "giant steps": lambda arrays: arrays.update(motions=arrays["motions"] * 1e6),
    "no entries": lambda arrays: arrays.update({name: array[:0] for name, array in arrays.items()}),
}


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("official") / "model"
    save_official_like(folder, 263)
    return folder


def assert_refused(archive: Path, model: Path) -> None:
    before = sorted(archive.parent.iterdir())
    words = ["import", "official", str(archive), "--model", str(model), "--output", str(archive.parent / "new.sqlite")]
    with pytest.raises(BackendError) as caught:
        main(words)
    assert caught.value.code == "bad_database"
    assert str(archive) in caught.value.message
    assert sorted(archive.parent.iterdir()) == before


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_bad_database_is_refused_and_nothing_written(small_model: Path, tmp_path: Path, damage: str) -> None:
    arrays = database(LENGTHS, CAPTIONS, 263)
    DAMAGES[damage](arrays)
    np.savez(tmp_path / "bad.npz", **arrays)
    assert_refused(tmp_path / "bad.npz", small_model)


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "altered", "absent", "cut within", "bad header"])
def test_a_damaged_file_is_refused_and_nothing_written(small_model: Path, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "bad.npz"
    arrays = database(LENGTHS, CAPTIONS, 263)
    np.savez(path, **arrays)
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage in ("empty", "text"):
        path.write_bytes(b"" if damage == "empty" else b"no archive at all")
    elif damage == "altered":
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    elif damage == "absent":
        path.unlink()
    else:
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "new.npz", "w") as new:
            for name in old.namelist():
                member = old.read(name)
                if name == "motions.npy":
                    member = member[:-1000] if damage == "cut within" else b"\x93NUMPY\x01\x00\xff\xff{" + member[8:]
                new.writestr(name, member)
        (tmp_path / "new.npz").rename(path)
    assert_refused(path, small_model)


def test_a_library_that_is_there_is_left_alone(small_model: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "good.npz", **database(LENGTHS, CAPTIONS, 263))
    (tmp_path / "mine.sqlite").write_text("precious")
    words = ["import", "official", str(tmp_path / "good.npz"), "--model", str(small_model)]
    with pytest.raises(BackendError, match="exists"):
        main([*words, "--output", str(tmp_path / "mine.sqlite")])
    assert (tmp_path / "mine.sqlite").read_text() == "precious"
    with pytest.raises(BackendError, match="nowhere"):
        main([*words, "--output", str(tmp_path / "nowhere" / "new.sqlite")])
    # What an import left that was killed is no obstacle.
    (tmp_path / "new.sqlite.import").write_text("half a library")
    assert main([*words, "--output", str(tmp_path / "new.sqlite")]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["good.npz", "mine.sqlite", "new.sqlite"]


ENTRIES = 600
"""About 210 MB, uncompressed as the official files are."""
MEASURE = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from backend.library.official import import_official
from backend.model_folder import read_normalisation

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) // 1024

card, mean, deviation = read_normalisation(Path(sys.argv[2]))
before = peak()
statistics = mean.double().numpy(), deviation.double().numpy()
assert import_official(Path(sys.argv[3]), Path(sys.argv[4]), card, *statistics) == 600
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc")
def test_memory_does_not_grow_with_the_file(small_model: Path, tmp_path: Path) -> None:
    archive, output = tmp_path / "large.npz", tmp_path / "large.sqlite"
    part = database([196] * 50, [f"a person does {number}" for number in range(50)], 263)
    with zipfile.ZipFile(archive, "w", allowZip64=True) as file:
        for name, rows in part.items():
            with file.open(f"{name}.npy", "w", force_zip64=True) as stream:
                header = {"descr": rows.dtype.str, "fortran_order": False, "shape": (ENTRIES, *rows.shape[1:])}
                np.lib.format.write_array_header_1_0(stream, header)
                for _ in range(ENTRIES // len(rows)):
                    stream.write(rows.tobytes())
    assert archive.stat().st_size > 170e6
    start = time.monotonic()
    command = [sys.executable, "-c", MEASURE, str(ROOT), str(small_model), str(archive), str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 100, f"{done.stdout} MB after {time.monotonic() - start:.0f} s"
    with Library.open(output) as library:
        assert len(library) == ENTRIES
        assert library.clip(ENTRIES).source == f"large.npz, entry {ENTRIES - 1}"
