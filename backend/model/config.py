# SPDX-License-Identifier: GPL-3.0-or-later
"""Every size, coefficient and option of a model, in one place that a model card can hold. No torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from math import isfinite
from typing import Any, Final, Literal, Self, get_args

from ..errors import BackendError

PositionalInit = Literal["random", "sinusoidal"]
CaptionPosition = Literal["first", "last"]
MixtureRule = Literal["official", "guidance"]


@dataclass(frozen=True, slots=True)
class DiffusionConfig:
    """The noise schedule: linear betas, and how many timesteps sampling keeps of each equal section of them."""

    steps: int = 1000
    beta_start: float = 1e-4
    beta_end: float = 0.02
    sections: tuple[int, ...] = (15, 15, 8, 6, 6)

    def __post_init__(self) -> None:
        _check_types(self)
        _check(all(isinstance(count, int) for count in self.sections), "sections are no whole numbers")
        _check(0 < self.beta_start <= self.beta_end < 1, "0 < beta_start <= beta_end < 1 does not hold")
        _check(bool(self.sections) and all(count > 0 for count in self.sections), "a section keeps no timestep")
        _check(
            max(self.sections, default=0) <= self.steps // max(len(self.sections), 1),
            "a section keeps more timesteps than it has",
        )


@dataclass(frozen=True, slots=True)
class MixtureConfig:
    """How the four branches both / text / retrieval / none are mixed into one prediction (paper: condition mixture).

    Coarse steps (t > `fine_limit`) extrapolate between two branches with w = 1 + `coarse_scale` * t / 1000. The rule
    `official` lets one coin per step choose both against retrieval (0) or text against none (1); the rule `guidance`
    always takes both against none. Fine steps use the fixed weights `both`, `text`, `retrieval`, and none = 1 - sum.
    The defaults are those of the official HumanML3D model.
    """

    rule: MixtureRule = "official"
    coarse_scale: float = 6.5
    both: float = 0.52351
    text: float = -0.28419
    retrieval: float = 2.39872
    fine_limit: int = 100

    def __post_init__(self) -> None:
        _check_types(self)
        _check(self.rule in get_args(MixtureRule), f"the mixture rule {self.rule!r} is unknown")

    @classmethod
    def guidance(cls, coarse_scale: float) -> Self:
        """Both against none on coarse steps, both alone on fine steps: half the branches, no coin."""
        return cls("guidance", coarse_scale, both=1.0, text=0.0, retrieval=0.0)


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The architecture. Defaults are the official HumanML3D model; only the feature width has none.

    The options at the end are departures from the paper for models trained on little data. All are off by default, and
    then the network has exactly the official parameters.
    """

    features: int
    max_frames: int = 196

    width: int = 512
    heads: int = 8
    layers: int = 4
    feedforward_width: int = 1024
    time_width: int = 2048

    token_width: int = 512
    text_width: int = 256
    text_layers: int = 2
    text_heads: int = 4
    text_feedforward_width: int = 2048

    references: int = 2
    reference_stride: int = 4
    reference_motion_layers: int = 2
    reference_text_layers: int = 2
    reference_heads: int = 8
    reference_feedforward_width: int = 1024
    reference_token_width: int = 512
    kinematic_coefficient: float = 0.1

    diffusion: DiffusionConfig = field(default_factory=DiffusionConfig)
    mixture: MixtureConfig = field(default_factory=MixtureConfig)

    local_mixing: int = 0
    """Odd width in frames of a depthwise temporal convolution before each attention; 0 = none."""
    pooled_condition: bool = False
    """Add the mean text feature and the mean reference feature to the time embedding."""
    positional_init: PositionalInit = "random"
    """Start of the two learned positional tables."""
    caption_position: CaptionPosition = "last"
    """Which token stands for a reference's caption; the last may be padding, as it is in the official model."""
    noise_skip: bool = False
    """A learned skip from the noisy input to the output, one time-dependent gate per channel."""
    aligned_reference: bool = False
    """Show the denoiser the best reference frame by frame, fitted to the clip's length, beside the noisy motion."""

    def __post_init__(self) -> None:
        _check_types(self)
        for item in fields(self):
            if item.type in _NUMBERS and item.name != "local_mixing":
                _check(getattr(self, item.name) > 0, f"{item.name} is not positive")
        for width, heads in (
            ("width", "heads"),
            ("width", "reference_heads"),
            ("text_width", "text_heads"),
        ):
            _check(getattr(self, width) % getattr(self, heads) == 0, f"{width} is no multiple of {heads}")
        _check(self.width % 2 == 0, "width is odd, the time sinusoid needs pairs of channels")
        _check(
            self.local_mixing == 0 or (self.local_mixing > 0 and self.local_mixing % 2 == 1),
            "local_mixing is neither 0 nor odd",
        )
        _check(self.positional_init in get_args(PositionalInit), f"positional_init {self.positional_init!r} is unknown")
        _check(
            self.caption_position in get_args(CaptionPosition), f"caption_position {self.caption_position!r} is unknown"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values only, ready for TOML or JSON; `from_dict` is the inverse."""
        plain = asdict(self)
        plain["diffusion"]["sections"] = list(self.diffusion.sections)
        return plain

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Raises BackendError "bad_model" on an unknown or missing setting, or one of the wrong type or range."""
        values = dict(values)
        diffusion = dict(values.pop("diffusion", {}))
        if "sections" in diffusion:
            diffusion["sections"] = tuple(diffusion["sections"])
        mixture = values.pop("mixture", {})
        try:
            return cls(**values, diffusion=DiffusionConfig(**diffusion), mixture=MixtureConfig(**mixture))
        except TypeError as error:
            raise _bad(str(error)) from error


_NUMBERS: Final = {"int": int, "float": int | float}


def _check_types(config: DiffusionConfig | MixtureConfig | ModelConfig) -> None:
    """Numbers and switches only: what is a choice of words or a nested table is checked as such."""
    for item in fields(config):
        value = getattr(config, item.name)
        if item.type in _NUMBERS:
            is_number = isinstance(value, _NUMBERS[str(item.type)]) and not isinstance(value, bool)
            _check(is_number and isfinite(value), f"{item.name} is {value!r}, not a number of the right kind")
        elif item.type == "bool":
            _check(isinstance(value, bool), f"{item.name} is {value!r}, neither true nor false")


def _bad(problem: str) -> BackendError:
    return BackendError(
        "bad_model", f"The model's settings are invalid: {problem}.", "Restore the model's card or install it again."
    )


def _check(holds: bool, problem: str) -> None:
    if not holds:
        raise _bad(problem)
