"""torch.utils.tensorboard: needs the package `tensorboard`, which reads what is written here."""

from tensorboard.summary.writer.record_writer import RecordWriter as RecordWriter

from .writer import FileWriter as FileWriter
from .writer import SummaryWriter as SummaryWriter

__all__ = ["FileWriter", "RecordWriter", "SummaryWriter"]
