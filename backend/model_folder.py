# SPDX-License-Identifier: GPL-3.0-or-later
"""A model on disk: a folder with `model.safetensors`, `card.toml` and, if it ships with one, `library.sqlite`."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch.overrides import TorchFunctionMode

from .errors import BackendError
from .model import ReMoDiffuse
from .model_card import REMEDY, ModelCard, read_card
from .models import CARD, LIBRARY, STARTER, WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from .model import ModelConfig

__all__ = ["CARD", "LIBRARY", "STARTER", "WEIGHTS", "LoadedModel", "load_model", "read_normalisation", "save_model"]

# Beside the network's own tensors the file holds the normalisation of the features.
MEAN: Final = "features.mean"
DEVIATION: Final = "features.std"
SPARE_NUMBERS: Final = 1 << 23
"""What a network may have beyond its file's numbers: tables that are computed, rounded up generously."""


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """A network ready to sample (float32, no gradients), and the mean and standard deviation (F,) of its features."""

    card: ModelCard
    network: ReMoDiffuse
    mean: Tensor
    deviation: Tensor

    @property
    def device(self) -> torch.device:
        return self.mean.device

    def normalise(self, features: Tensor) -> Tensor:
        return (features - self.mean) / self.deviation

    def restore(self, normalised: Tensor) -> Tensor:
        """The inverse of `normalise`."""
        return normalised * self.deviation + self.mean

    def features(self, positions: NDArray[np.float32], contacts: NDArray[np.float32]) -> Tensor:
        """(T, 22, 3) and (T, 4) -> normalised features (T, F)."""
        rows = self.card.layout.encode(positions.astype(np.float64), contacts.astype(np.float64))
        return self.normalise(torch.from_numpy(rows.astype(np.float32)).to(self.device))


def load_model(folder: Path, device: torch.device | str = "cpu") -> LoadedModel:
    """Raises BackendError where a file is missing, damaged, altered or does not fit the card."""
    card = read_card(folder / CARD)
    tensors = _read_weights(folder / WEIGHTS, card.weights_sha256)
    tensors = {name: tensor.to(device, torch.float32) for name, tensor in tensors.items()}
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise _bad(f"the weights {name} are not all finite")
    mean, deviation = _normalisation(card, tensors)
    return LoadedModel(card, _network(card, tensors), mean, deviation)


def read_normalisation(folder: Path) -> tuple[ModelCard, Tensor, Tensor]:
    """Card, mean and standard deviation (F,) of a model, without the network in memory; errors as in `load_model`."""
    card = read_card(folder / CARD)
    path = folder / WEIGHTS
    _check_hash(path, card.weights_sha256)
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name).float() for name in (MEAN, DEVIATION) if name in file.keys()}  # noqa: SIM118  # the file is no dictionary
    except (OSError, SafetensorError) as error:
        raise _bad(f"{path} cannot be read") from error
    return card, *_normalisation(card, tensors)


def save_model(
    folder: Path,
    card: ModelCard,
    weights: dict[str, Tensor],
    mean: Tensor,
    deviation: Tensor,
    *,
    half: bool = True,
) -> ModelCard:
    """Write a model that `load_model` reads; returns its card, now with the hash of the weights.

    `weights` is the network's state_dict, written as float16 if `half`. A kill leaves the folder as it was, or without
    a card that fits the weights, which `load_model` notices.
    """
    dtype = torch.float16 if half else torch.float32
    tensors = {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in weights.items()}
    normalisation = {MEAN: mean, DEVIATION: deviation}
    tensors |= {name: tensor.detach().to("cpu", torch.float32).contiguous() for name, tensor in normalisation.items()}
    content = save(tensors)
    card = replace(card, weights_sha256=hashlib.sha256(content).hexdigest())
    files = {WEIGHTS: content, CARD: card.to_toml().encode()}
    with writing(folder, *files) as drafts:
        folder.mkdir(parents=True, exist_ok=True)
        for draft, content in zip(drafts, files.values(), strict=True):
            draft.write_bytes(content)
    return card


@contextlib.contextmanager
def writing(folder: Path, *names: str) -> Iterator[list[Path]]:
    """Drafts of files, which become the files only if all goes well. Raises BackendError "cannot_write"."""
    drafts = [folder / (name + ".new") for name in names]
    try:
        yield drafts
        for draft, name in zip(drafts, names, strict=True):
            draft.replace(folder / name)
    except (OSError, SafetensorError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise BackendError(
            "cannot_write", f"{folder} cannot be written ({why}).", "Choose another folder or free some space."
        ) from error
    finally:
        for draft in drafts:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)


def _read_weights(path: Path, sha256: str) -> dict[str, Tensor]:
    _check_hash(path, sha256)
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise _bad(f"{path} cannot be read") from error


def _check_hash(path: Path, sha256: str) -> None:
    # A pipe or a device would never end.
    if not path.is_file():
        raise _bad(f"there is no file {path}")
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise _bad(f"{path} cannot be read") from error
    if found != sha256:
        raise _bad(f"{path} is not the file that its card describes")


def _normalisation(card: ModelCard, tensors: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Taken out of the tensors."""
    size = (card.config.features,)
    mean, deviation = _take(tensors, MEAN, size), _take(tensors, DEVIATION, size)
    if not (mean.isfinite() & (deviation > 0)).all():
        raise _bad(f"{MEAN} is not finite or {DEVIATION} is not positive")
    return mean, deviation


def _take(tensors: dict[str, Tensor], name: str, shape: tuple[int, ...]) -> Tensor:
    tensor = tensors.pop(name, None)
    if tensor is None or tensor.shape != shape:
        raise _bad(f"{name} is missing or of another size")
    return tensor


def _network(card: ModelCard, tensors: dict[str, Tensor]) -> ReMoDiffuse:
    """The network that the card describes, filled with the tensors."""
    network = _empty_network(card.config, tensors)
    for name, expected in network.state_dict().items():
        if name not in tensors or tensors[name].shape != expected.shape:
            raise _bad(f"the weights {name} are missing or of another size")
    if extra := sorted(tensors.keys() - network.state_dict().keys()):
        raise _bad(f"the weights {extra[0]} belong to another model")
    network.load_state_dict(tensors, assign=True)
    return network.eval().requires_grad_(False)


def _empty_network(config: ModelConfig, tensors: dict[str, Tensor]) -> ReMoDiffuse:
    """Refuses sizes that the file has no tensors for, so that a card with absurd ones takes no memory.

    (torch's meta device would take none either, but what it needs is slow to import.)
    """
    largest = max((size for tensor in tensors.values() if tensor.numel() for size in tensor.shape), default=0)
    there = sum(tensor.numel() for tensor in tensors.values()) + SPARE_NUMBERS
    sizes = sorted(value for value in asdict(config).values() if isinstance(value, int))
    layers = (config.layers, config.text_layers, config.reference_motion_layers, config.reference_text_layers)
    if sizes[-1] > largest or max(layers) > len(tensors) or sizes[-1] * sizes[-2] > there:
        raise _bad("its card describes a larger network than its weights")
    try:
        with _Budget(there):
            return ReMoDiffuse(config)
    except (RuntimeError, TypeError, AssertionError, OverflowError) as error:
        raise _bad(f"no network fits its card ({error})") from error


class _Budget(TorchFunctionMode):
    """Stops a network that takes room for more numbers than allowed, before anything is written into it."""

    def __init__(self, numbers: int) -> None:
        super().__init__()
        self._left = numbers

    def __torch_function__(self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401
        result = function(*args, **(kwargs or {}))
        if function in (torch.empty, torch.zeros, torch.ones, torch.arange, torch.cat):
            self._left -= result.numel()
            if self._left < 0:
                raise RuntimeError("its weights hold fewer numbers")
        return result


def _bad(problem: str) -> BackendError:
    return BackendError("bad_model", f"The model cannot be used: {problem}.", REMEDY)
