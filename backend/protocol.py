# SPDX-License-Identifier: GPL-3.0-or-later
"""The wire between Blender and the backend: frames and messages. Standard library and numpy only.

A frame is one line of UTF-8 JSON ending in a line feed, then the raw little-endian bytes of the arrays that the line
announces under `arrays`. docs/protocol.md shows every message. A reader is tolerant of nothing: whatever is not a
well-formed frame raises `ProtocolError`, and no memory is taken before the announced sizes were checked.
"""

from __future__ import annotations

import json
import math
import tomllib
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

import numpy as np

from .errors import BackendError
from .motion.clip import Motion
from .motion.skeleton import FPS, JOINTS
from .request import Canvas, Provenance, Reference, Request, Take

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO

    from numpy.typing import NDArray

PROTOCOL: Final = 1
"""Number of this protocol; both sides say it in `hello` and refuse another."""

MAX_LINE: Final = 1 << 20
MAX_ARRAYS: Final = 32
MAX_DIMENSIONS: Final = 8
MAX_PAYLOAD: Final = 64 << 20
MAX_STEPS: Final = 1 << 48
MAX_NAME: Final = 200
MAX_MODELS: Final = 1000
DTYPES: Final = {"float32": np.dtype("<f4"), "int32": np.dtype("<i4"), "uint8": np.dtype("u1")}

T = TypeVar("T", Request, Reference, Provenance)


def version() -> str:
    """The version in the manifest, which lies beside `backend/` in the source tree and in the built zip."""
    manifest = Path(__file__).resolve().parent.parent / "blender_manifest.toml"
    return tomllib.loads(manifest.read_text("utf-8"))["version"] if manifest.is_file() else "unknown"


class ProtocolError(Exception):
    """What was read is not a frame or not a message of this protocol."""


class TruncatedError(ProtocolError):
    """The stream ended within a frame: whoever wrote it has ended, and how says more than what it wrote."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message: `header["type"]` names it, `arrays` come after it as raw bytes."""

    header: dict[str, Any]
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def type(self) -> str:
        return self.header["type"]

    @property
    def id(self) -> int | None:
        """Number of the request that this frame belongs to."""
        return self.header.get("id")


def encode(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]] | None = None) -> bytes:
    """The bytes of one frame. Raises `ValueError` on what the reader of the other side would refuse."""
    blobs: list[bytes] = []
    announced: list[dict[str, Any]] = []
    for name, array in (arrays or {}).items():
        dtype = DTYPES[array.dtype.name]
        announced.append({"name": name, "dtype": array.dtype.name, "shape": list(array.shape)})
        blobs.append(np.ascontiguousarray(array, dtype=dtype).tobytes())
    line = dict(header) | ({"arrays": announced} if announced else {})
    text = json.dumps(line, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"
    if len(text) > MAX_LINE or sum(map(len, blobs)) > MAX_PAYLOAD:
        raise ValueError(f"A frame of type {header['type']!r} is too large to be sent.")
    return b"".join([text, *blobs])


def read(stream: IO[bytes]) -> Frame | None:
    """The next frame, or None where the stream ends between two frames. Blocks; raises `ProtocolError`."""
    line = stream.readline(MAX_LINE + 1)
    if not line:
        return None
    if len(line) > MAX_LINE:
        raise ProtocolError(f"A line is longer than {MAX_LINE} bytes.")
    if not line.endswith(b"\n"):
        raise TruncatedError("The stream ended within a line.")
    header = _header(line)
    arrays = {}
    for name, (dtype, shape) in _announced(header.pop("arrays", [])).items():
        array = np.empty(shape, dtype)
        _fill(stream, array.reshape(-1).view(np.uint8).data)
        arrays[name] = array
    return Frame(header, arrays)


def _header(line: bytes) -> dict[str, Any]:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    try:
        header = json.loads(line.decode(), parse_constant=refuse)
    # UnicodeDecodeError and JSONDecodeError are ValueErrors; RecursionError comes from "[[[[[...".
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"A line is not JSON: {_excerpt(line)}") from error
    if not isinstance(header, dict) or not isinstance(header.get("type"), str):
        raise ProtocolError(f"A line is not a message: {_excerpt(line)}")
    number = header.get("id")
    if number is not None and (type(number) is not int or number < 0):
        raise ProtocolError(f"A message has no proper id: {_excerpt(line)}")
    return header


def _announced(listed: Any) -> dict[str, tuple[np.dtype[Any], tuple[int, ...]]]:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(listed, list) or len(listed) > MAX_ARRAYS:
        raise ProtocolError("The arrays of a message are not a list, or too many.")
    result: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {}
    total = 0
    for entry in listed:
        if not isinstance(entry, dict) or entry.keys() != {"name", "dtype", "shape"}:
            raise ProtocolError("An array is announced without exactly name, dtype and shape.")
        name, dtype, shape = entry["name"], entry["dtype"], entry["shape"]
        if not isinstance(name, str) or name in result:
            raise ProtocolError("An array has no name of its own.")
        if not isinstance(dtype, str) or dtype not in DTYPES:
            raise ProtocolError(f"The array {name[:40]!r} has an unknown dtype.")
        if (
            not isinstance(shape, list)
            or len(shape) > MAX_DIMENSIONS
            or not all(type(size) is int and 0 <= size <= MAX_PAYLOAD for size in shape)
        ):
            raise ProtocolError(f"The array {name[:40]!r} has an impossible shape.")
        total += math.prod(shape) * DTYPES[dtype].itemsize
        # numpy refuses a shape whose sizes overflow even where another size is 0.
        if total > MAX_PAYLOAD or math.prod(max(size, 1) for size in shape) > MAX_PAYLOAD:
            raise ProtocolError(f"The arrays of a message are larger than {MAX_PAYLOAD} bytes.")
        result[name] = (DTYPES[dtype], tuple(shape))
    return result


def _fill(stream: IO[bytes], view: memoryview) -> None:
    while len(view):
        count = stream.readinto(view)  # pyright: ignore[reportAttributeAccessIssue] - every buffered stream has it
        if not count:
            raise TruncatedError("The stream ended within an array.")
        view = view[count:]


def _excerpt(line: bytes) -> str:
    return repr(line[:60].decode(errors="replace"))


# Messages: the dataclasses of backend.request on the wire.

_JSON_TYPES: Final = {
    "str": str,
    "int": int,
    "float": (int, float),
    "dict[str, Any]": dict,
    "tuple[Reference, ...]": tuple,
    "tuple[ClipKey, ...]": tuple,
    "tuple[tuple[str, float], ...]": tuple,
    "Canvas | None": (Canvas, type(None)),
}
_MOTION_SHAPES: Final = {"positions": (len(JOINTS), 3), "rotations": (len(JOINTS), 4), "root": (3,), "contacts": (4,)}


def _build(kind: type[T], data: object) -> T:
    """The dataclass `kind` from a JSON object that holds exactly its fields, each of the right type."""
    wanted = {each.name: _JSON_TYPES[str(each.type)] for each in fields(kind)}
    if not isinstance(data, dict) or data.keys() != wanted.keys():
        raise ProtocolError(f"A {kind.__name__.lower()} does not have exactly the fields {', '.join(wanted)}.")
    for name, types in wanted.items():
        value = data[name]
        # Comparing instead of math.isfinite(): JSON may bring integers that no float can hold.
        if (
            not isinstance(value, types)
            or isinstance(value, bool)
            or (isinstance(value, (int, float)) and not abs(value) < 1e18)
        ):
            raise ProtocolError(f"The field {name} of a {kind.__name__.lower()} has the wrong type.")
    return kind(**data)


def encode_request(number: int, request: Request, model: str = "") -> bytes:
    """A request as one frame; the motion to change comes as arrays."""
    arrays = {}
    if request.canvas is not None:
        arrays = motion_arrays(request.canvas.motion) | {"free": request.canvas.free.astype(np.uint8)}
    return encode(generate_header(number, request, model), arrays)


def generate_header(number: int, request: Request, model: str = "") -> dict[str, Any]:
    """`model` is the name of one that the backend lists; empty for the one it started with."""
    plain = {each.name: getattr(request, each.name) for each in fields(request) if each.name != "canvas"}
    named = {"model": model} if model else {}
    return {"type": "generate", "id": number, "request": plain, **named}


def parse_model(frame: Frame) -> str:
    model = frame.header.get("model", "")
    if not isinstance(model, str) or len(model) > MAX_NAME:
        raise ProtocolError("A request names its model by something else than a short text.")
    return model


def parse_models(header: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The models that a backend offers: name, version, licence, source and bytes of each."""
    listed = header.get("models")
    wanted = {"name": str, "version": str, "licence": str, "source": str, "bytes": int}
    if not isinstance(listed, list) or len(listed) > MAX_MODELS:
        raise ProtocolError("The models are not a list, or too many.")
    for entry in listed:
        if (
            not isinstance(entry, dict)
            or entry.keys() != wanted.keys()
            or not all(type(entry[name]) is kind for name, kind in wanted.items())
        ):
            raise ProtocolError("A model does not have exactly name, version, licence, source and bytes.")
    return listed


def parse_request(frame: Frame) -> Request:
    """Raises `ProtocolError` on what is no request, `BackendError` on a request that cannot be met."""
    told = frame.header.get("request")
    if not isinstance(told, dict) or "canvas" in told:
        raise ProtocolError("A message has no request.")
    # What a request need not say is as it always is.
    usual = {each.name: each.default for each in fields(Request) if each.default is not MISSING}
    rows = {name: _pairs(told[name]) for name in ("pinned", "banned", "then") if name in told}
    for name, kind in (("pinned", int), ("banned", int), ("then", (int, float))):
        if any(not isinstance(pair[1], kind) or not abs(pair[1]) < 1e18 for pair in rows.get(name, ())):
            raise ProtocolError(f"The field {name} of a request has the wrong type.")
    canvas = _parse_canvas(frame) if frame.arrays else None
    return _build(Request, usual | told | rows | {"canvas": canvas})


def _pairs(listed: object) -> tuple[tuple[str, Any], ...]:
    """A list of lists of a text and a number."""
    if not isinstance(listed, (list, tuple)) or not all(
        isinstance(pair, (list, tuple))
        and len(pair) == 2
        and isinstance(pair[0], str)
        and type(pair[1]) in (int, float)
        for pair in listed
    ):
        raise ProtocolError("A list of a request does not hold pairs of a text and a number.")
    return tuple((pair[0], pair[1]) for pair in listed)


def _parse_canvas(frame: Frame) -> Canvas:
    free = frame.arrays.get("free")
    motion = parse_motion(FPS, {name: array for name, array in frame.arrays.items() if name != "free"})
    if free is None or free.dtype != np.uint8 or free.shape != (motion.frames, len(JOINTS)):
        raise ProtocolError("A motion to change does not say what may change.")
    return Canvas(motion, free != 0)


def encode_take(number: int, index: int, take: Take) -> bytes:
    """Take `index` of request `number` as one frame."""
    header = {
        "type": "take",
        "id": number,
        "index": index,
        "fps": float(take.motion.fps),
        "provenance": take.provenance.to_json(),
    }
    return encode(header, motion_arrays(take.motion))


def parse_take(frame: Frame) -> Take:
    """Raises `ProtocolError` on what is no take: wrong fields, shapes, or numbers that are not finite."""
    fps = frame.header.get("fps")
    if not isinstance(fps, (int, float)) or not 1 <= fps <= 1000:
        raise ProtocolError("A take has no proper frame rate.")
    motion = parse_motion(float(fps), frame.arrays)
    provenance = frame.header.get("provenance")
    if not isinstance(provenance, dict) or not isinstance(provenance.get("references"), list):
        raise ProtocolError("A take has no provenance.")
    references = tuple(parse_reference(each) for each in provenance["references"])
    return Take(motion, _build(Provenance, {**provenance, "references": references}))


def parse_reference(data: object) -> Reference:
    """Raises `ProtocolError`."""
    return _build(Reference, data)


def motion_arrays(motion: Motion) -> dict[str, NDArray[np.float32]]:
    """The four arrays of a motion, by name."""
    return {name: np.asarray(getattr(motion, name), np.float32) for name in _MOTION_SHAPES}


def parse_motion(fps: float, arrays: dict[str, NDArray[Any]]) -> Motion:
    """Raises `ProtocolError` on wrong names, shapes, or numbers that are not finite."""
    positions = arrays.get("positions")
    length = 0 if positions is None or positions.ndim == 0 else len(positions)
    if length == 0 or arrays.keys() != _MOTION_SHAPES.keys():
        raise ProtocolError("A motion does not have exactly its arrays.")
    for name, shape in _MOTION_SHAPES.items():
        array = arrays[name]
        if array.dtype != np.float32 or array.shape != (length, *shape) or not np.isfinite(array).all():
            raise ProtocolError(f"The array {name} of a motion has the wrong shape or is not finite.")
    return Motion(fps, **arrays)


def error_header(number: int | None, error: BackendError) -> dict[str, Any]:
    return {"type": "error", "id": number, "code": error.code, "message": error.message, "remedy": error.remedy}


def parse_error(header: Mapping[str, Any]) -> BackendError:
    parts = [header.get(name) for name in ("code", "message", "remedy")]
    if not all(isinstance(part, str) for part in parts):
        raise ProtocolError("An error does not have code, message and remedy.")
    return BackendError(*map(str, parts))


def parse_progress(header: Mapping[str, Any]) -> tuple[str, int, int]:
    """Stage, step and total of a progress; the total is at least 1."""
    stage, step, total = (header.get(name) for name in ("stage", "step", "total"))
    if not isinstance(stage, str) or type(step) is not int or type(total) is not int:
        raise ProtocolError("A progress does not have stage, step and total.")
    if not 0 <= step <= total < MAX_STEPS:
        raise ProtocolError("A progress counts beyond its end.")
    return stage[:40], step, max(total, 1)
