"""Points of the embedding projector: tables and pictures beside the event file."""

import math
import os
from pathlib import Path

import numpy as np
from tensorboard.plugins.projector.projector_config_pb2 import EmbeddingInfo

from .summary import make_np, picture_grid


def directory(log_dir, tag: str, step) -> tuple[str, Path]:
    """Where an embedding's files go, below the log directory and as a whole."""
    escaped = tag.replace("%", "%25").replace("/", "%2f").replace("\\", "%5c")
    below = f"{str(step).zfill(5)}/{escaped}"
    place = Path(os.path.join(log_dir, below))
    if place.is_dir():
        print("warning: Embedding dir exists, did you set global_step for add_embedding()?")
    elif place.exists():
        raise NotADirectoryError(f"Path: `{place}` exists, but is a file. Cannot proceed.")
    place.mkdir(parents=True, exist_ok=True)
    return below, place


def write(place: Path, points: np.ndarray, metadata, pictures, header) -> None:
    """The files of one embedding."""
    if metadata is not None:
        if len(points) != len(metadata):
            raise AssertionError("#labels should equal with #data points")
        _write_labels(place, metadata, header)
    if pictures is not None:
        if len(points) != pictures.shape[0]:
            raise AssertionError("#images should equal with #data points")
        _write_pictures(place, make_np(pictures))
    if points.ndim != 2:
        raise AssertionError("mat should be 2D, where mat.size(0) is the number of data points")
    rows = ("\t".join(str(x.item()) for x in point) + "\n" for point in points)
    (place / "tensors.tsv").write_text("".join(rows), "utf-8", newline="")


def _write_labels(place: Path, metadata, header) -> None:
    lines = metadata
    if header:
        if len(header) != len(metadata[0]):
            raise AssertionError("len of header must be equal to the number of columns in metadata")
        lines = ["\t".join(str(field) for field in row) for row in [header, *metadata]]
    text = "\n".join(str(line) for line in lines) + "\n"
    (place / "metadata.tsv").write_text(text, "utf-8", newline="")


def _write_pictures(place: Path, pictures: np.ndarray) -> None:
    """All in one square."""
    from PIL import Image

    grid = picture_grid(pictures, math.ceil(len(pictures) ** 0.5))
    height, width, _ = grid.shape
    square = np.pad(grid, [(0, width - height), (0, 0), (0, 0)])
    Image.fromarray((square * 255).clip(0, 255).astype(np.uint8)).save(place / "sprite.png")


def info(below: str, tag, step, metadata, pictures) -> EmbeddingInfo:
    """What the projector's configuration says of it."""
    info = EmbeddingInfo()
    info.tensor_name = f"{tag}:{str(step).zfill(5)}"
    info.tensor_path = os.path.join(below, "tensors.tsv")
    if metadata is not None:
        info.metadata_path = os.path.join(below, "metadata.tsv")
    if pictures is not None:
        info.sprite.image_path = os.path.join(below, "sprite.png")
        info.sprite.single_image_dim.extend([pictures.shape[3], pictures.shape[2]])
    return info
