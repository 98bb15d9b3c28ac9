"""SummaryWriter: event files for TensorBoard."""

import os
import socket
import time
from datetime import datetime
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from . import embedding, plugins, summary


class FileWriter:
    """Summaries into one event file."""

    def __init__(self, log_dir, max_queue=10, flush_secs=120, filename_suffix="") -> None:
        self.event_writer = EventFileWriter(str(log_dir), max_queue, flush_secs, filename_suffix)

    def get_logdir(self) -> str:
        return self.event_writer.get_logdir()

    def add_event(self, event, step=None, walltime=None) -> None:
        event.wall_time = time.time() if walltime is None else walltime
        if step is not None:
            event.step = int(step)
        self.event_writer.add_event(event)

    def add_summary(self, summary, global_step=None, walltime=None) -> None:
        self.add_event(Event(summary=summary), global_step, walltime)

    def flush(self) -> None:
        self.event_writer.flush()

    def close(self) -> None:
        self.event_writer.close()

    def reopen(self) -> None:
        self.event_writer.reopen()


def _default_bins() -> list[float]:
    """TensorFlow's: 0, and powers of 1.1 on both sides of it."""
    powers, value = [], 1e-12
    while value < 1e20:
        powers.append(value)
        value *= 1.1
    return [-power for power in reversed(powers)] + [0] + powers


class SummaryWriter:
    """Values of all kinds, graphs excepted, into a log directory."""

    def __init__(
        self,
        log_dir=None,
        comment="",
        purge_step=None,
        max_queue=10,
        flush_secs=120,
        filename_suffix="",
    ) -> None:
        if not log_dir:
            now = datetime.now().strftime("%b%d_%H-%M-%S")
            log_dir = os.path.join("runs", now + "_" + socket.gethostname() + comment)
        self.log_dir = log_dir
        self.purge_step = purge_step
        self.max_queue = max_queue
        self.flush_secs = flush_secs
        self.filename_suffix = filename_suffix
        self.default_bins = _default_bins()
        self.file_writer = self.all_writers = None
        self._projector = ProjectorConfig()
        self._get_file_writer()

    def _open(self, log_dir) -> FileWriter:
        return FileWriter(log_dir, self.max_queue, self.flush_secs, self.filename_suffix)

    def _get_file_writer(self) -> FileWriter:
        """The main writer; made again after close()."""
        if self.all_writers is None or self.file_writer is None:
            self.file_writer = self._open(self.log_dir)
            self.all_writers = {self.file_writer.get_logdir(): self.file_writer}
            step, self.purge_step = self.purge_step, None
            if step is not None:
                self.file_writer.add_event(Event(step=step, file_version="brain.Event:2"))
                start = SessionLog(status=SessionLog.START)
                self.file_writer.add_event(Event(step=step, session_log=start))
        return self.file_writer

    def get_logdir(self):
        return self.log_dir

    def _add(self, one, global_step, walltime) -> None:
        self._get_file_writer().add_summary(one, global_step, walltime)

    def add_scalar(
        self,
        tag,
        scalar_value,
        global_step=None,
        walltime=None,
        new_style=False,
        double_precision=False,
    ) -> None:
        one = summary.scalar(tag, scalar_value, new_style, double_precision)
        self._add(one, global_step, walltime)

    def add_scalars(self, main_tag, tag_scalar_dict, global_step=None, walltime=None) -> None:
        """Several curves in one chart: a directory for each."""
        walltime = time.time() if walltime is None else walltime
        base = self._get_file_writer().get_logdir()
        for tag, value in tag_scalar_dict.items():
            place = base + "/" + main_tag.replace("/", "_") + "_" + tag
            if place not in self.all_writers:
                self.all_writers[place] = self._open(place)
            one = summary.scalar(main_tag, value)
            self.all_writers[place].add_summary(one, global_step, walltime)

    def add_histogram(
        self, tag, values, global_step=None, bins="tensorflow", walltime=None, max_bins=None
    ) -> None:
        bins = self.default_bins if isinstance(bins, str) and bins == "tensorflow" else bins
        self._add(summary.histogram(tag, values, bins, max_bins), global_step, walltime)

    def add_histogram_raw(
        self,
        tag,
        min,
        max,
        num,
        sum,
        sum_squares,
        bucket_limits,
        bucket_counts,
        global_step=None,
        walltime=None,
    ) -> None:
        if len(bucket_limits) != len(bucket_counts):
            raise ValueError("len(bucket_limits) != len(bucket_counts), see the document.")
        one = summary.histogram_raw(
            tag, min, max, num, sum, sum_squares, bucket_limits, bucket_counts
        )
        self._add(one, global_step, walltime)

    def add_image(
        self, tag, img_tensor, global_step=None, walltime=None, dataformats="CHW"
    ) -> None:
        one = summary.image(tag, img_tensor, dataformats=dataformats)
        self._add(one, global_step, walltime)

    def add_images(
        self, tag, img_tensor, global_step=None, walltime=None, dataformats="NCHW"
    ) -> None:
        self.add_image(tag, img_tensor, global_step, walltime, dataformats)

    def add_figure(self, tag, figure, global_step=None, close=True, walltime=None) -> None:
        form = "NCHW" if isinstance(figure, list) else "CHW"
        pixels = summary.figure_to_image(figure, close)
        self.add_image(tag, pixels, global_step, walltime, form)

    def add_text(self, tag, text_string, global_step=None, walltime=None) -> None:
        self._add(summary.text(tag, text_string), global_step, walltime)

    def add_hparams(
        self,
        hparam_dict,
        metric_dict,
        hparam_domain_discrete=None,
        run_name=None,
        global_step=None,
    ) -> None:
        """A run of its own, in a directory below this writer's."""
        if type(hparam_dict) is not dict or type(metric_dict) is not dict:
            raise TypeError("hparam_dict and metric_dict should be dictionary.")
        parts = summary.hparams(hparam_dict, metric_dict, hparam_domain_discrete)
        place = os.path.join(self._get_file_writer().get_logdir(), run_name or str(time.time()))
        with SummaryWriter(log_dir=place) as writer:
            for part in parts:
                writer.file_writer.add_summary(part, global_step)
            for tag, value in metric_dict.items():
                writer.add_scalar(tag, value, global_step)

    # ----- plugins ---------------------------------------------------------------------------

    def add_tensor(self, tag, tensor, global_step=None, walltime=None) -> None:
        self._add(plugins.tensor_proto(tag, tensor), global_step, walltime)

    def add_image_with_boxes(
        self,
        tag,
        img_tensor,
        box_tensor,
        global_step=None,
        walltime=None,
        rescale=1,
        dataformats="CHW",
        labels=None,
    ) -> None:
        """Labels are drawn if there is one for each box."""
        labels = [labels] if isinstance(labels, str) else labels
        if labels is not None and len(labels) != box_tensor.shape[0]:
            labels = None
        one = summary.image_boxes(tag, img_tensor, box_tensor, rescale, dataformats, labels)
        self._add(one, global_step, walltime)

    def add_video(self, tag, vid_tensor, global_step=None, fps=4, walltime=None) -> None:
        self._add(plugins.video(tag, vid_tensor, fps), global_step, walltime)

    def add_audio(
        self, tag, snd_tensor, global_step=None, sample_rate=44100, walltime=None
    ) -> None:
        self._add(plugins.audio(tag, snd_tensor, sample_rate), global_step, walltime)

    def add_onnx_graph(self, prototxt) -> None:
        raise NotImplementedError("SummaryWriter.add_onnx_graph is not supported")

    def add_graph(
        self, model, input_to_model=None, verbose=False, use_strict_trace=True
    ) -> None:
        raise NotImplementedError(
            "SummaryWriter.add_graph is not supported: it shows TorchScript's graph of the model"
        )

    def add_embedding(
        self,
        mat,
        metadata=None,
        label_img=None,
        global_step=None,
        tag="default",
        metadata_header=None,
    ) -> None:
        """Files beside the event file, named in `projector_config.pbtxt`."""
        from google.protobuf import text_format

        step = 0 if global_step is None else global_step
        log_dir = self._get_file_writer().get_logdir()
        below, place = embedding.directory(log_dir, tag, step)
        embedding.write(place, summary.make_np(mat), metadata, label_img, metadata_header)
        self._projector.embeddings.append(embedding.info(below, tag, step, metadata, label_img))
        text = text_format.MessageToString(self._projector)
        Path(log_dir, "projector_config.pbtxt").write_text(text, "utf-8", newline="")

    def add_pr_curve(
        self,
        tag,
        labels,
        predictions,
        global_step=None,
        num_thresholds=127,
        weights=None,
        walltime=None,
    ) -> None:
        labels, predictions = summary.make_np(labels), summary.make_np(predictions)
        one = plugins.pr_curve(tag, labels, predictions, num_thresholds, weights)
        self._add(one, global_step, walltime)

    def add_pr_curve_raw(
        self,
        tag,
        true_positive_counts,
        false_positive_counts,
        true_negative_counts,
        false_negative_counts,
        precision,
        recall,
        global_step=None,
        num_thresholds=127,
        weights=None,
        walltime=None,
    ) -> None:
        """`weights` says nothing here, as in PyTorch: the counts hold them."""
        one = plugins.pr_curve_raw(
            tag,
            true_positive_counts,
            false_positive_counts,
            true_negative_counts,
            false_negative_counts,
            precision,
            recall,
            num_thresholds,
        )
        self._add(one, global_step, walltime)

    def add_custom_scalars(self, layout) -> None:
        self._add(plugins.custom_scalars(layout), None, None)

    def add_custom_scalars_multilinechart(
        self, tags, category="default", title="untitled"
    ) -> None:
        self.add_custom_scalars({category: {title: ["Multiline", tags]}})

    def add_custom_scalars_marginchart(
        self, tags, category="default", title="untitled"
    ) -> None:
        if len(tags) != 3:
            raise AssertionError(f"Expected 3 tags, got {len(tags)}.")
        self.add_custom_scalars({category: {title: ["Margin", tags]}})

    def add_mesh(
        self,
        tag,
        vertices,
        colors=None,
        faces=None,
        config_dict=None,
        global_step=None,
        walltime=None,
    ) -> None:
        one = plugins.mesh(tag, vertices, colors, faces, config_dict)
        self._add(one, global_step, walltime)

    def flush(self) -> None:
        for writer in (self.all_writers or {}).values():
            writer.flush()

    def close(self) -> None:
        for writer in (self.all_writers or {}).values():
            writer.flush()
            writer.close()
        self.file_writer = self.all_writers = None

    def __enter__(self) -> "SummaryWriter":
        return self

    def __exit__(self, *error) -> None:
        self.close()
