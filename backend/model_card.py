# SPDX-License-Identifier: GPL-3.0-or-later
"""The card beside a model's weights: what it is, how it samples, where it comes from. A TOML file."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from .errors import BackendError
from .model.config import ModelConfig
from .models import read_text
from .motion.features import FeatureLayout
from .text.subject import neutral

if TYPE_CHECKING:
    from pathlib import Path

REMEDY = "Restore the model's folder from a backup or install it again."


@dataclass(frozen=True, slots=True)
class SamplerConfig:
    """How takes are sampled unless asked otherwise; steps and condition mixture stand in the model's config."""

    start_timestep: int = 0
    """Sampling starts from the best reference noised to this timestep; 0 = from pure noise."""
    start_score: float = 0.0
    """Where the best reference fits the words less well than this, sampling starts from pure noise: what was not meant
    is no good start. A reference that the animator pinned always is."""
    start_margin: float = 0.05
    """Each take starts from one of the references that score at most this much below the best."""
    opposite_factor: float = 1.0
    """The score of a reference whose caption says the opposite (left for right, one thing for several in a row)
    times this; 1 = the paper's score."""
    neutral_subject: bool = False
    """Whether a prompt is read as if "a person" did what it says, as the captions of the library do."""

    def worded(self, prompt: str) -> str:
        """The prompt as text encoder and retrieval read it."""
        return neutral(prompt) if self.neutral_subject else prompt


@dataclass(frozen=True, slots=True)
class ModelCard:
    """`licence` is that of the weights, as an SPDX name; `encoder` names the text encoder they were trained on."""

    name: str
    version: str
    licence: str
    encoder: str
    config: ModelConfig
    layout: FeatureLayout
    sampler: SamplerConfig = field(default_factory=SamplerConfig)
    training: dict[str, Any] = field(default_factory=dict)
    """Facts for people: data, hours, results, limits."""
    weights_sha256: str = ""
    """Set by `model_folder.save_model`."""

    def __post_init__(self) -> None:
        for name in ("name", "version", "licence", "encoder", "weights_sha256"):
            if not isinstance(getattr(self, name), str):
                raise bad_card(f"{name} is no text")
        if self.config.features != self.layout.size:
            raise bad_card(f"the model has {self.config.features} features, its layout {self.layout.size}")
        if (
            not 0 <= self.sampler.start_timestep < self.config.diffusion.steps
            or not 0 <= self.sampler.start_score <= 1
            or not 0 <= self.sampler.start_margin <= 1
            or not 0 < self.sampler.opposite_factor <= 1
        ):
            raise bad_card("a sampler setting is out of range")
        if self.layout.rotations and self.sampler.start_timestep:
            raise bad_card("sampling cannot start from a reference where features hold rotations")

    def to_toml(self) -> str:
        model = {name: getattr(self, name) for name in ("name", "version", "licence", "encoder", "weights_sha256")}
        sections = {
            "model": model,
            "features": asdict(self.layout),
            "sampler": asdict(self.sampler),
            "config": self.config.to_dict(),
            "training": self.training,
        }
        return "\n".join(_section(name, values) for name, values in sections.items())

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Raises BackendError "bad_model" on anything but a complete card."""
        try:
            table = tomllib.loads(text)
            return cls(
                **table["model"],
                config=ModelConfig.from_dict(table["config"]),
                layout=FeatureLayout(**table["features"]),
                sampler=SamplerConfig(**table.get("sampler", {})),
                training=table.get("training", {}),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise bad_card(f"{error}") from error


def read_card(path: Path) -> ModelCard:
    """Raises BackendError where the card is missing or not complete."""
    try:
        return ModelCard.from_toml(read_text(path))
    except OSError as error:
        raise bad_card(f"{path} cannot be read") from error


def bad_card(problem: str) -> BackendError:
    return BackendError("bad_model", f"The model's card is not valid: {problem}.", REMEDY)


def _section(name: str, values: dict[str, Any]) -> str:
    """One TOML table and the tables within it. Strings and numbers of JSON are strings and numbers of TOML."""
    plain = {key: value for key, value in values.items() if not isinstance(value, dict)}
    lines = [f"[{name}]", *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in plain.items()), ""]
    nested = [_section(f"{name}.{key}", value) for key, value in values.items() if isinstance(value, dict)]
    return "\n".join([*lines, *nested])
