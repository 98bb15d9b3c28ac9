"""torch.utils.tensorboard: what is written is what TensorBoard reads."""

import importlib

import numpy as np
import pytest

pytest.importorskip("tensorboard")
pytestmark = pytest.mark.filterwarnings("ignore")  # TensorBoard's own


def events(folder):
    """Tag -> what was stored under it, of all event files in a folder."""
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
    from tensorboard.compat.proto.event_pb2 import Event

    stored = {}
    for path in sorted(folder.glob("events*")):
        for record in RawEventFileLoader(str(path)).Load():
            for value in Event.FromString(record).summary.value:
                stored[value.tag] = value
    return stored


def readable(value):
    """A stored value as text; a plugin's bytes are decoded: those of a map have no order."""
    from tensorboard.plugins.hparams import plugin_data_pb2

    plugin = value.metadata.plugin_data
    if plugin.plugin_name != "hparams":
        return str(value)
    return str(plugin_data_pb2.HParamsPluginData.FromString(plugin.content))


@pytest.fixture
def writer(torch, tmp_path):
    module = importlib.import_module(f"{torch.__name__}.utils.tensorboard")
    with module.SummaryWriter(tmp_path / "logs") as writer:
        yield writer


def test_values(torch, golden, writer, tmp_path):
    writer.add_scalar("one", torch.tensor(2.5), 1)
    writer.add_scalar("new", 3, 2, new_style=True, double_precision=True)
    writer.add_scalars("many", {"x": 1, "y": 2.0}, 3)
    writer.add_histogram("spread", torch.arange(10).float(), 1)
    writer.add_histogram("few bins", np.arange(10), 1, "auto", max_bins=3)
    writer.add_image("picture", torch.arange(60.0).reshape(3, 4, 5) / 60, 1)
    writer.add_images("grid", torch.arange(44.0).reshape(11, 1, 2, 2) / 44, 1)
    writer.add_text("words", "héllo", 1)
    writer.add_hparams({"lr": 0.1, "kind": "sgd"}, {"accuracy": 1.0}, run_name="run")
    writer.close()
    for folder in ("logs", "logs/many_x", "logs/many_y", "logs/run"):
        golden({tag: readable(value) for tag, value in events(tmp_path / folder).items()})


def test_plugins(torch, golden, writer, tmp_path, capsys):
    for dtype in (torch.float16, torch.bfloat16, torch.uint8, torch.complex64, torch.bool):
        writer.add_tensor(f"all {dtype}", torch.ones(1, 2, dtype=dtype), 1)
    picture, boxes = torch.full((3, 16, 16), 0.5), torch.tensor([[1, 2, 10, 12.0]])
    writer.add_image_with_boxes("boxes", picture, boxes, labels=["cat"], rescale=2)
    writer.add_image_with_boxes("labels too many", picture, boxes, labels=["cat", "dog"])
    writer.add_audio("sound", torch.linspace(-2, 2, 8)[None], 1, sample_rate=8000)
    labels, scores = np.array([0, 1, 1, 0]), np.array([0.1, 0.9, 0.4, 0.6])
    writer.add_pr_curve("curve", labels, torch.tensor(scores), num_thresholds=5)
    writer.add_pr_curve("weighted", labels, scores, num_thresholds=3, weights=labels + 0.5)
    writer.add_pr_curve_raw("raw", [1, 2], [1, 1], [0, 1], [2, 2], [0.5, 0.4], [0.3, 0.2])
    writer.add_custom_scalars({"a": {"b": ["Multiline", ["x"]], "c": ["Margin", ["p", "q", "r"]]}})
    points = torch.arange(12.0).reshape(1, 4, 3)
    writer.add_mesh("mesh", points, colors=points * 2, faces=points.int(), config_dict={"k": 1})
    writer.add_video("film", torch.zeros(3, 2, 3, 4, 4))
    writer.add_embedding(torch.arange(6.0).reshape(3, 2), ["u", "v", "w"], tag="x/y")
    rows, pictures = [["u", 1], ["v", 2], ["w", 3]], torch.full((3, 3, 4, 4), 0.5)
    for _ in range(2):
        writer.add_embedding(
            np.ones((3, 1)), rows, pictures, global_step=2, metadata_header=["n", "m"]
        )
    writer.close()
    golden({tag: readable(value) for tag, value in events(tmp_path / "logs").items()})
    files = sorted(p for p in (tmp_path / "logs").rglob("*") if p.suffix and "events" not in p.name)
    golden([(p.name, p.read_text() if p.suffix != ".png" else 0) for p in files])
    golden(capsys.readouterr().out)


@pytest.mark.parametrize(
    "call",
    [
        lambda writer, torch: writer.add_histogram("e", torch.zeros(0)),
        lambda writer, torch: writer.add_scalar("e", torch.zeros(3)),
        lambda writer, torch: writer.add_scalar("e", [1]),
        lambda writer, torch: writer.add_image("e", torch.zeros(3)),
        lambda writer, torch: writer.add_hparams(1, 2),
        lambda writer, torch: writer.add_hparams({"a": [1]}, {}),
        lambda writer, torch: writer.add_histogram("e", torch.tensor([float("nan")])),
        lambda writer, torch: writer.add_audio("e", torch.zeros(2, 5)),
        lambda writer, torch: writer.add_custom_scalars({"a": {"b": ["Margin", ["x"]]}}),
        lambda writer, torch: writer.add_custom_scalars_marginchart(["x"]),
        lambda writer, torch: writer.add_embedding(torch.ones(2, 2), ["a"]),
        lambda writer, torch: writer.add_embedding(torch.ones(2, 2), label_img=torch.ones(1)),
        lambda writer, torch: writer.add_embedding(torch.ones(2)),
        lambda writer, torch: writer.add_embedding(torch.ones(1, 2), [["a"]], metadata_header="ab"),
    ],
)
def test_errors(torch, golden, writer, call):
    golden.error(call, writer, torch)
