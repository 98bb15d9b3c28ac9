"""Summaries: one value of one kind under a tag, as TensorBoard stores it."""

import io

import numpy as np
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from tensorboard.plugins.text.plugin_data_pb2 import TextPluginData

from ...core import dtypes
from ...core.tensor import Tensor


def make_np(x) -> np.ndarray:
    """The elements of an array, a tensor or a number."""
    if isinstance(x, np.ndarray):
        return x
    if np.isscalar(x):
        return np.array([x])
    if isinstance(x, Tensor):
        x = x.to(dtypes.float16) if x.dtype == dtypes.bfloat16 else x
        return x.detach().cpu().numpy()
    raise NotImplementedError(f"Got {type(x)}, but numpy array or torch tensor are expected.")


def plugin(name: str, content: bytes = b"") -> SummaryMetadata:
    """Says which plugin shows a value."""
    about = SummaryMetadata.PluginData(plugin_name=name, content=content)
    return SummaryMetadata(plugin_data=about)


# ----- numbers and text --------------------------------------------------------------------------

def scalar(name, tensor, new_style=False, double_precision=False) -> Summary:
    tensor = make_np(tensor).squeeze()
    if tensor.ndim != 0:
        raise AssertionError(
            "Tensor should contain one element (0 dimensions). "
            f"            Was given size: {tensor.size} and {tensor.ndim} dimensions."
        )
    value = float(tensor)
    if not new_style:
        return Summary(value=[Summary.Value(tag=name, simple_value=value)])
    proto = TensorProto(float_val=[value], dtype="DT_FLOAT")
    if double_precision:
        proto = TensorProto(double_val=[value], dtype="DT_DOUBLE")
    return Summary(value=[Summary.Value(tag=name, tensor=proto, metadata=plugin("scalars"))])


def text(tag, text) -> Summary:
    metadata = plugin("text", TextPluginData(version=0).SerializeToString())
    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
    proto = TensorProto(dtype="DT_STRING", string_val=[text.encode()], tensor_shape=shape)
    value = Summary.Value(tag=tag + "/text_summary", metadata=metadata, tensor=proto)
    return Summary(value=[value])


# ----- histograms --------------------------------------------------------------------------------

def histogram_raw(
    name, min, max, num, sum, sum_squares, bucket_limits, bucket_counts
) -> Summary:
    histogram = HistogramProto(
        min=min,
        max=max,
        num=num,
        sum=sum,
        sum_squares=sum_squares,
        bucket_limit=bucket_limits,
        bucket=bucket_counts,
    )
    return Summary(value=[Summary.Value(tag=name, histo=histogram)])


def histogram(name, values, bins, max_bins=None) -> Summary:
    values = make_np(values).astype(float).reshape(-1)
    if values.size == 0:
        raise ValueError("The input has no element.")
    counts, limits = np.histogram(values, bins=bins)
    if max_bins is not None and len(counts) > max_bins:
        counts, limits = _merge(counts, limits, len(counts) // max_bins)
    # from the bin before the first that holds something to the last that does
    held = np.flatnonzero(counts)
    if not held.size:
        raise ValueError("The histogram is empty, please file a bug report.")
    first, last = held[0], held[-1]
    before = counts[first - 1 : first] if first else np.zeros(1, counts.dtype)
    return histogram_raw(
        name,
        values.min(),
        values.max(),
        len(values),
        values.sum(),
        values.dot(values),
        limits[first : last + 2].tolist(),
        np.concatenate([before, counts[first : last + 1]]).tolist(),
    )


def _merge(counts, limits, size: int):
    """Bins of `size` old ones each."""
    short = -len(counts) % size
    merged = np.pad(counts, (0, short)).reshape(-1, size).sum(axis=-1)
    return merged, np.append(limits[:-1:size], limits[-1])


# ----- pictures ----------------------------------------------------------------------------------

def image(tag, tensor, rescale=1, dataformats="NCHW") -> Summary:
    """A picture of uint8, or of floats from 0 to 1."""
    return _picture(tag, _pixels(tensor, dataformats), rescale)


def image_boxes(tag, tensor, boxes, rescale=1, dataformats="CHW", labels=None) -> Summary:
    """A picture with rectangles (left, top, right, bottom), each with its label."""
    pixels = _pixels(tensor, dataformats)
    names = [None] * len(boxes) if labels is None else labels
    return _picture(tag, pixels, rescale, list(zip(make_np(boxes), names, strict=True)))


def _pixels(tensor, dataformats) -> np.ndarray:
    tensor = make_np(tensor)
    scale = 1 if tensor.dtype == np.uint8 else 255
    pixels = _height_width_channel(tensor, dataformats).astype(np.float32) * scale
    return pixels.clip(0, 255).astype(np.uint8)


def _picture(tag, pixels: np.ndarray, rescale, boxes=()) -> Summary:
    from PIL import Image

    height, width, channels = pixels.shape
    picture = Image.fromarray(pixels)
    for box, label in boxes:
        _draw_box(picture, box, label)
    size = int(width * rescale), int(height * rescale)
    output = io.BytesIO()
    picture.resize(size, Image.Resampling.LANCZOS).save(output, format="PNG")
    proto = Summary.Image(
        height=height, width=width, colorspace=channels, encoded_image_string=output.getvalue()
    )
    return Summary(value=[Summary.Value(tag=tag, image=proto)])


def _draw_box(picture, box, label, colour="Red") -> None:
    from PIL import ImageDraw, ImageFont

    left, top, right, bottom = box
    draw = ImageDraw.Draw(picture)
    corners = [(left, top), (left, bottom), (right, bottom), (right, top), (left, top)]
    draw.line(corners, width=2, fill=colour)
    if label:
        font = ImageFont.load_default()
        x0, y0, x1, y1 = font.getbbox(label)
        margin = np.ceil(0.05 * (y1 - y0))
        above = bottom - (y1 - y0) - margin
        draw.rectangle([(left, above - margin), (left + x1 - x0, bottom)], fill=colour)
        draw.text((left + margin, above), label, fill="black", font=font)


def _height_width_channel(tensor: np.ndarray, form: str) -> np.ndarray:
    if len(set(form)) != len(form):
        raise AssertionError(
            "You can not use the same dimension shorthand twice. "
            f"            input_format: {form}"
        )
    if tensor.ndim != len(form):
        raise AssertionError(
            "size of input tensor and input format are different. "
            f"        tensor shape: {tensor.shape}, input_format: {form}"
        )
    form = form.upper()
    wanted = {4: "NCHW", 3: "HWC", 2: "HW"}[len(form)]
    tensor = tensor.transpose([form.find(letter) for letter in wanted])
    if tensor.ndim == 4:
        return picture_grid(tensor)
    if tensor.ndim == 2:
        tensor = tensor[:, :, None]
    return tensor.repeat(3, axis=2) if tensor.shape[2] == 1 else tensor


def picture_grid(images: np.ndarray, columns: int = 8) -> np.ndarray:
    """Pictures side by side, eight in a row."""
    if images.shape[1] == 1:
        images = images.repeat(3, axis=1)
    count, channels, height, width = images.shape
    if channels != 3:
        raise AssertionError("Input should be a 4D numpy array with 3 channels")
    columns = min(count, columns)
    rows = -(-count // columns)
    canvas = np.zeros((rows * columns, channels, height, width), images.dtype)
    canvas[:count] = images
    canvas = canvas.reshape(rows, columns, channels, height, width)
    return canvas.transpose(0, 3, 1, 4, 2).reshape(rows * height, columns * width, channels)


def figure_to_image(figures, close=True) -> np.ndarray:
    """A matplotlib figure, or a list of them, as pixels: channel, height, width."""
    import matplotlib.pyplot as plt
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    if isinstance(figures, list):
        return np.stack([figure_to_image(figure, close) for figure in figures])
    canvas = FigureCanvasAgg(figures)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[:, :, :3]
    if close:
        plt.close(figures)
    return np.moveaxis(pixels, 2, 0)


# ----- hyper-parameters --------------------------------------------------------------------------

def _kind_of(value) -> tuple[str, str]:
    """Which field of a proto holds the value, and its data type."""
    if isinstance(value, int | float):  # PyTorch counts a bool as a number here
        return "number_value", "DATA_TYPE_FLOAT64"
    if isinstance(value, str):
        return "string_value", "DATA_TYPE_STRING"
    raise ValueError("value should be one of int, float, str, bool, or torch.Tensor")


def _check_hparams(hparams, metrics, domains) -> None:
    for name, value in (("hparam_dict", hparams), ("metric_dict", metrics)):
        if not isinstance(value, dict):
            raise TypeError(f"parameter: {name} should be a dictionary, nothing logged.")
    if not isinstance(domains, dict):
        raise TypeError(
            "parameter: hparam_domain_discrete should be a dictionary, nothing logged."
        )
    for key, values in domains.items():
        known = key in hparams and isinstance(values, list)
        if not known or not all(isinstance(value, type(hparams[key])) for value in values):
            raise TypeError(
                f"parameter: hparam_domain_discrete[{key}] should be a list of same type "
                f"as hparam_dict[{key}]."
            )


def hparams(hparam_dict, metric_dict, hparam_domain_discrete=None) -> list[Summary]:
    """The three summaries of a run: the experiment, its start and its end."""
    domains = hparam_domain_discrete or {}
    _check_hparams(hparam_dict, metric_dict, domains)
    start = plugin_data_pb2.SessionStartInfo()
    experiment = api_pb2.Experiment()
    for key, value in hparam_dict.items():
        if value is None:
            continue
        if isinstance(value, Tensor):
            value = value.item()
        field, kind = _kind_of(value)
        setattr(start.hparams[key], field, value)
        info = experiment.hparam_infos.add(name=key, type=api_pb2.DataType.Value(kind))
        for one in domains.get(key, ()):
            setattr(info.domain_discrete.values.add(), field, one)
    for key in metric_dict:
        experiment.metric_infos.add(name=api_pb2.MetricName(tag=key))
    end = plugin_data_pb2.SessionEndInfo(status=api_pb2.Status.Value("STATUS_SUCCESS"))
    parts = {
        metadata.EXPERIMENT_TAG: {"experiment": experiment},
        metadata.SESSION_START_INFO_TAG: {"session_start_info": start},
        metadata.SESSION_END_INFO_TAG: {"session_end_info": end},
    }
    return [_hparams_summary(tag, part) for tag, part in parts.items()]


def _hparams_summary(tag, part) -> Summary:
    version = metadata.PLUGIN_DATA_VERSION
    content = plugin_data_pb2.HParamsPluginData(version=version, **part).SerializeToString()
    return Summary(value=[Summary.Value(tag=tag, metadata=plugin(metadata.PLUGIN_NAME, content))])
