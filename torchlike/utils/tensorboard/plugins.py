"""Summaries for TensorBoard's plugins: whole tensors, sounds, films, curves, charts, meshes."""

import contextlib
import importlib
import io
import json
import tempfile
import wave

import numpy as np
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.mesh import metadata as mesh_metadata
from tensorboard.plugins.mesh.plugin_data_pb2 import MeshPluginData
from tensorboard.plugins.pr_curve.plugin_data_pb2 import PrCurvePluginData

from ... import ops
from ...core import dtypes
from .summary import make_np, plugin

# ----- tensors -----------------------------------------------------------------------------------

def _flat(tensor) -> list:
    return tensor.flatten().tolist()


def _pairs(tensor) -> list:
    return ops.view_as_real(tensor).flatten().tolist()


def _float_bits(tensor) -> list:
    """The bits of each element as float32, not as a half: what PyTorch writes."""
    return np.array(_flat(tensor), np.float32).view(np.int32).tolist()


_FIELDS = {
    dtypes.float16: ("DT_HALF", "half_val", _float_bits),
    dtypes.bfloat16: ("DT_BFLOAT16", "half_val", _float_bits),
    dtypes.float32: ("DT_FLOAT", "float_val", _flat),
    dtypes.float64: ("DT_DOUBLE", "double_val", _flat),
    dtypes.int8: ("DT_INT8", "int_val", _flat),
    dtypes.uint8: ("DT_UINT8", "uint32_val", _flat),
    dtypes.int16: ("DT_INT16", "int_val", _flat),
    dtypes.int32: ("DT_INT32", "int_val", _flat),
    dtypes.int64: ("DT_INT64", "int64_val", _flat),
    dtypes.complex64: ("DT_COMPLEX64", "scomplex_val", _pairs),
    dtypes.complex128: ("DT_COMPLEX128", "dcomplex_val", _pairs),
    dtypes.bool_: ("DT_BOOL", "bool_val", _flat),
}


def _shape(shape) -> TensorShapeProto:
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in shape])


def tensor_proto(tag, tensor) -> Summary:
    """All elements of a tensor."""
    if tensor.numel() * tensor.itemsize >= 1 << 31:
        raise ValueError("tensor is bigger than protocol buffer's hard limit of 2GB in size")
    if tensor.dtype not in _FIELDS:
        raise ValueError(f"{tag} has unsupported tensor dtype {tensor.dtype}")
    kind, field, listed = _FIELDS[tensor.dtype]
    proto = TensorProto(dtype=kind, tensor_shape=_shape(tensor.shape), **{field: listed(tensor)})
    return Summary(value=[Summary.Value(tag=tag, metadata=plugin("tensor"), tensor=proto)])


# ----- sounds and films --------------------------------------------------------------------------

def audio(tag, tensor, sample_rate=44100) -> Summary:
    """One channel of 16-bit samples, from values between -1 and 1."""
    samples = make_np(tensor).squeeze()
    if abs(samples).max() > 1:
        print("warning: audio amplitude out of range, auto clipped.")
        samples = samples.clip(-1, 1)
    if samples.ndim != 1:
        raise AssertionError("input tensor should be 1 dimensional.")
    output = io.BytesIO()
    with wave.open(output, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes((samples * np.iinfo(np.int16).max).astype("<i2").data)
    sound = Summary.Audio(
        sample_rate=sample_rate,
        num_channels=1,
        length_frames=len(samples),
        encoded_audio_string=output.getvalue(),
        content_type="audio/wav",
    )
    return Summary(value=[Summary.Value(tag=tag, audio=sound)])


def video(tag, tensor, fps=4) -> Summary:
    """Films side by side as a gif, made by the package moviepy."""
    frames = (_frames(make_np(tensor)) * 255).clip(0, 255).astype(np.uint8)
    return Summary(value=[Summary.Value(tag=tag, image=_gif(frames, fps))])


def _frames(films: np.ndarray) -> np.ndarray:
    """Film, time, channel, height, width -> time, height, width, channel."""
    count, time, channels, height, width = films.shape
    if films.dtype == np.uint8:
        films = films.astype(np.float32) / 255
    columns_and_rows = 1 << (count - 1).bit_length()
    films = np.pad(films, [(0, columns_and_rows - count)] + [(0, 0)] * 4)
    rows = 1 << (count.bit_length() - 1) // 2
    films = films.reshape(rows, -1, time, channels, height, width)
    return films.transpose(2, 0, 4, 1, 5, 3).reshape(time, rows * height, -1, channels)


def _film_maker():
    """moviepy's class, which moved between its releases; None without the package."""
    for name in ("moviepy.editor", "moviepy"):
        with contextlib.suppress(ImportError, AttributeError):
            return importlib.import_module(name).ImageSequenceClip
    return None


def _gif(frames: np.ndarray, fps):
    film = _film_maker()
    if film is None:
        print("add_video needs package moviepy")
        return None
    with tempfile.NamedTemporaryFile(suffix=".gif") as file:
        film(list(frames), fps=fps).write_gif(file.name, logger=None)
        content = file.read()
    _, height, width, channels = frames.shape
    return Summary.Image(
        height=height, width=width, colorspace=channels, encoded_image_string=content
    )


# ----- precision and recall ----------------------------------------------------------------------

def _curve(labels, predictions, thresholds: int, weights) -> np.ndarray:
    """True and false positives, true and false negatives, precision, recall: a column each
    threshold."""
    bucket = np.floor(predictions * (thresholds - 1)).astype(np.int32)
    weights = 1.0 if weights is None else weights

    def at_least(share):
        counts, _ = np.histogram(
            bucket, bins=thresholds, range=(0, thresholds - 1), weights=share * weights
        )
        return counts[::-1].cumsum()[::-1]

    positive = labels.astype(np.float64)
    hits, false = at_least(positive), at_least(1.0 - positive)
    rejected, missed = false[0] - false, hits[0] - hits
    precision = hits / np.maximum(1e-7, hits + false)
    recall = hits / np.maximum(1e-7, hits + missed)
    return np.stack((hits, false, rejected, missed, precision, recall))


_MOST_THRESHOLDS = 127  # PyTorch's bound


def pr_curve(tag, labels, predictions, num_thresholds=127, weights=None) -> Summary:
    """Precision and recall at thresholds between 0 and 1."""
    thresholds = min(num_thresholds, _MOST_THRESHOLDS)
    return pr_curve_raw(tag, *_curve(labels, predictions, thresholds, weights), thresholds)


def pr_curve_raw(tag, tp, fp, tn, fn, precision, recall, num_thresholds=127) -> Summary:
    """The same from counts."""
    data = np.stack((tp, fp, tn, fn, precision, recall))
    about = PrCurvePluginData(version=0, num_thresholds=min(num_thresholds, _MOST_THRESHOLDS))
    metadata = plugin("pr_curves", about.SerializeToString())
    values = data.reshape(-1).tolist()
    proto = TensorProto(dtype="DT_FLOAT", float_val=values, tensor_shape=_shape(data.shape))
    return Summary(value=[Summary.Value(tag=tag, metadata=metadata, tensor=proto)])


# ----- charts of several scalars -----------------------------------------------------------------

def _chart(title, kind, tags) -> layout_pb2.Chart:
    if kind != "Margin":
        return layout_pb2.Chart(title=title, multiline=layout_pb2.MultilineChartContent(tag=tags))
    if len(tags) != 3:
        raise AssertionError("len(tags) != 3")
    value, lower, upper = tags
    series = layout_pb2.MarginChartContent.Series(value=value, lower=lower, upper=upper)
    return layout_pb2.Chart(title=title, margin=layout_pb2.MarginChartContent(series=[series]))


def custom_scalars(layout) -> Summary:
    """Category -> chart -> (kind, tags)."""
    categories = [
        layout_pb2.Category(title=title, chart=[_chart(name, *of) for name, of in charts.items()])
        for title, charts in layout.items()
    ]
    content = layout_pb2.Layout(category=categories).SerializeToString()
    proto = TensorProto(dtype="DT_STRING", string_val=[content], tensor_shape=_shape(()))
    value = Summary.Value(
        tag="custom_scalars__config__", tensor=proto, metadata=plugin("custom_scalars")
    )
    return Summary(value=[value])


# ----- meshes ------------------------------------------------------------------------------------

def mesh(tag, vertices, colors, faces, config_dict) -> Summary:
    """Points in space, their colours, the triangles between them."""
    config = "{}" if config_dict is None else json.dumps(config_dict, sort_keys=True)
    parts = [
        (vertices, MeshPluginData.VERTEX),
        (faces, MeshPluginData.FACE),
        (colors, MeshPluginData.COLOR),
    ]
    parts = [(ops.as_tensor(tensor), kind) for tensor, kind in parts if tensor is not None]
    present = mesh_metadata.get_components_bitmask([kind for _, kind in parts])
    return Summary(value=[_mesh_part(tag, part, kind, present, config) for part, kind in parts])


def _mesh_part(tag, tensor, kind, present, config) -> Summary.Value:
    metadata: SummaryMetadata = mesh_metadata.create_summary_metadata(
        tag, None, kind, present, tensor.shape, None, json_config=config
    )
    shape = _shape(tensor.shape[i] for i in range(3))
    proto = TensorProto(dtype="DT_FLOAT", float_val=_flat(tensor), tensor_shape=shape)
    name = mesh_metadata.get_instance_name(tag, kind)
    return Summary.Value(tag=name, tensor=proto, metadata=metadata)
