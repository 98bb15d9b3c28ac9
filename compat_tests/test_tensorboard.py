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


@pytest.mark.parametrize(
    "call",
    [
        lambda writer, torch: writer.add_histogram("e", torch.zeros(0)),
        lambda writer, torch: writer.add_scalar("e", torch.zeros(3)),
        lambda writer, torch: writer.add_scalar("e", [1]),
        lambda writer, torch: writer.add_image("e", torch.zeros(3)),
        lambda writer, torch: writer.add_hparams(1, 2),
        lambda writer, torch: writer.add_hparams({"a": [1]}, {}),
    ],
)
def test_errors(torch, golden, writer, call):
    golden.error(call, writer, torch)
