# SPDX-License-Identifier: GPL-3.0-or-later
"""A training run as a TOML file: [data], [model], [loss], [training], [card]."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from ..errors import BackendError
from ..model.config import ModelConfig

if TYPE_CHECKING:
    from pathlib import Path

VALIDATION_TIMESTEPS: Final = (50, 250, 500, 750, 950)
"""At which validation measures the error."""


@dataclass(frozen=True, slots=True)
class LossConfig:
    """Weights of what is added to the reconstruction loss, and units that make the parts comparable."""

    root: float = 0.25
    """Of the squared error of root and contact channels, whose values are blown up five-fold (see normalisation)."""
    local_velocity: float = 0.2
    """Frame-to-frame change of the joint positions against the data's."""
    contact_velocity: float = 0.2
    """The same of ankles and toes including travel, while they truly stand on the floor."""
    ratio_limit: float = 4.0
    """A timestep weighs as much as its ratio of signal to noise, up to this, and a little (FLOOR) whatever that is.
    0: all weigh the same, as in the paper."""
    velocity_unit: float = 0.03
    """Metres a frame that count as 1 in the two above."""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    iterations: int = 10_000
    batch: int = 32
    learning_rate: float = 2e-4
    weight_decay: float = 0.0
    warmup: int = 0
    decay: int = 0
    """Last iterations, over which the rate falls to a hundredth; 0: cosine over the whole run, as in the paper."""
    gradient_clip: float = 0.0
    ema: float = 0.0
    seed: int = 0
    threads: int = 1
    workers: int = 0
    """Processes that draw batches ahead: a GPU would wait for one. 0: the training process draws them itself."""
    crop: float = 0.8
    """Windows are cut to a random share of at least this."""
    score_noise: float = 0.02
    """Added to retrieval scores, so that the same caption does not always meet the same references."""
    checkpoint_every: int = 200
    validate_every: int = 500
    device: str = "cpu"
    precision: str = "float32"
    """Of the network's products while training; weights, averages and the loss stay float32. float16 needs CUDA."""
    tensorboard: bool = False
    """Curves, and a picture of a sampled motion at each validation, in the run's folder."""

    def __post_init__(self) -> None:
        for name in ("iterations", "batch", "learning_rate", "threads", "checkpoint_every", "validate_every"):
            if not getattr(self, name) > 0:
                raise TypeError(f"{name} is not positive")
        if self.workers < 0:
            raise TypeError("workers is negative")
        if self.precision not in ("float32", "bfloat16", "float16"):
            raise TypeError(f"the precision {self.precision!r} is unknown")


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Everything that defines a run."""

    data: str
    model: ModelConfig
    start: str | None = None
    """A model folder whose weights and normalisation the run starts from; what it lacks starts fresh."""
    loss: LossConfig = field(default_factory=LossConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    card: dict[str, Any] = field(default_factory=dict)
    """Facts for the model card, for people: data, results, limits."""

    @classmethod
    def read(cls, path: Path) -> RunConfig:
        """Raises BackendError for a missing file, one that is no TOML, or an unknown key."""
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
            return cls(
                data=table["data"]["file"],
                model=ModelConfig.from_dict(table["model"]),
                start=table["data"].get("start"),
                loss=_known(LossConfig, table.get("loss", {})),
                training=_known(TrainingConfig, table.get("training", {})),
                card=table.get("card", {}),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BackendError(
                "bad_config",
                f"{path.name} is not a training configuration ({error}).",
                "Start from configs/starter.toml.",
            ) from error


def _known(kind: Any, values: dict[str, Any]) -> Any:  # noqa: ANN401 - one of the two dataclasses above
    unknown = set(values) - {one.name for one in fields(kind)}
    if unknown:
        raise KeyError(f"unknown key {', '.join(sorted(unknown))}")
    return kind(**values)
