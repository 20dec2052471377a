# SPDX-License-Identifier: GPL-3.0-or-later
"""One process or many: Accelerate does the talking between processes that torchrun started.

    torchrun --nproc-per-node 8 -m backend train CONFIG.toml

Every process draws the same global batch and takes its own rows of it, so the noise, the batches and (up to rounding)
the losses do not depend on how many there are.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..device import choose_device
from ..errors import BackendError
from ..precision import precise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from .dataset import Batch


class Engine:
    """Where and how a training step is computed."""

    def __init__(self, device: str = "auto", precision: str = "float32") -> None:
        """Raises BackendError where several processes were started and Accelerate is not there, or too few GPUs."""
        self.world = int(os.environ.get("WORLD_SIZE", "1"))
        local, there = int(os.environ.get("LOCAL_WORLD_SIZE", "1")), torch.cuda.device_count()
        if device != "cpu" and 0 < there < local:
            raise BackendError(
                "bad_config",
                f"{local} processes were started, but there are GPUs for {there}.",
                f'Start {there} (torchrun --nproc-per-node {there}), or choose device = "cpu" in [training].',
            )
        self._accelerator: Any = None
        if self.world > 1:
            accelerate = optional("accelerate", "accelerate==1.15.0", "train on several processes")
            self._accelerator = accelerate.Accelerator(cpu=device == "cpu", mixed_precision="no")
            self.device = torch.device(self._accelerator.device)
        else:
            self.device = choose_device(device)
        self.rank: int = self._accelerator.process_index if self._accelerator else 0
        self.precision = precision
        half = precision == "float16"
        if half and self.device.type != "cuda":
            raise BackendError(
                "bad_config",
                f"float16 cannot be trained on {self.device.type}.",
                'Choose precision = "bfloat16" or "float32", or device = "cuda", in [training].',
            )
        # Gradients that are too small for float16 are scaled up, and down again before the step.
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=half)
        self.reduced()
        if self.device.type == "cuda":
            torch.set_float32_matmul_precision("high")  # TF32: a gradient is noisier than its rounding

    @property
    def first(self) -> bool:
        """Whether this process writes files and validates."""
        return self.rank == 0

    def reduced(self) -> AbstractContextManager[object]:
        """Within it networks compute in the run's precision."""
        if self.precision == "float16":
            return torch.autocast(self.device.type, torch.float16)
        return precise(self.precision, self.device)

    def prepare(self, module: nn.Module) -> Callable[..., Any]:
        """The module as a step calls it: in the wanted precision, and gradients averaged over all processes."""
        prepared = self._accelerator.prepare(module) if self._accelerator else module

        def call(*inputs: object) -> Any:  # noqa: ANN401  whatever the module returns
            with self.reduced():
                return prepared(*inputs)

        return call

    def mine(self, rows: Tensor) -> Tensor:
        """This process's rows of a global batch, on its device."""
        return rows[self.rank :: self.world].to(self.device)

    def part(self, batch: Batch) -> Batch:
        """This process's samples of a global batch."""
        if len(batch.motion) % self.world:
            raise BackendError(
                "bad_config",
                f"A batch of {len(batch.motion)} cannot be shared by {self.world} processes.",
                f"Choose a batch that is a multiple of {self.world}.",
            )
        return batch.mapped(self.mine)

    def total(self, value: Tensor) -> Tensor:
        """The sum over all processes."""
        return self._accelerator.reduce(value, reduction="sum") if self._accelerator else value

    def backward(self, loss: Tensor) -> None:
        """`loss` is this process's part of the global sum: averaging the gradients must not divide it."""
        self.scaler.scale(loss * self.world).backward()

    def step(self, optimizer: torch.optim.Optimizer, parameters: Iterable[Tensor], clip: float) -> None:
        """A step along the gradients of `backward`, clipped to the norm `clip` unless that is 0.

        In float16 a step whose gradients overflowed is left out, and the next ones are scaled up less.
        """
        self.scaler.unscale_(optimizer)
        if clip:
            torch.nn.utils.clip_grad_norm_(parameters, clip)
        self.scaler.step(optimizer)
        self.scaler.update()

    def agreed(self, wish: bool) -> bool:
        """Whether all processes wish it; clocks differ."""
        return int(self.total(torch.tensor(int(wish), device=self.device))) == self.world

    def wait(self) -> None:
        """Until all processes are here. Accelerate's own barrier wants a GPU for each where there is one, even on the
        processor.
        """
        self.agreed(True)


def optional(name: str, package: str, purpose: str) -> Any:  # noqa: ANN401  a module without types
    """A package of the group "training". Raises BackendError where it is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise BackendError(
            "environment_lacks",
            f"The package {name} is needed to {purpose}.",
            f"Install it into the backend's environment: python -m pip install {package}",
        ) from error
