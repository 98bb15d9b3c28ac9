"""Small rooms: devices that are not there, torch.hub, torch.distributed, profiler, benchmark."""

import gzip
import hashlib
import json
import subprocess
import sys
from importlib import import_module

import pytest


def room(torch, path):
    return import_module(f"{torch.__name__}.{path}")


def test_devices(torch, golden):
    cpu, mps, xpu = (room(torch, name) for name in ("cpu", "mps", "xpu"))
    golden([[m.is_available(), m.device_count()] for m in (cpu, mps, xpu)])
    golden([cpu.current_device(), cpu.is_initialized(), xpu.is_initialized()])
    golden([xpu.manual_seed(0), cpu.synchronize(), cpu.current_stream() is None])
    with cpu.stream(cpu.Stream()):
        golden(torch.ones(1))


def test_distributed_is_not_there():
    import torchlike

    distributed = torchlike.distributed
    assert not distributed.is_available() and not distributed.is_initialized()
    assert not distributed.is_nccl_available() and not distributed.is_torchelastic_launched()
    for name in ("init_process_group", "all_reduce", "get_rank", "ProcessGroup", "TCPStore"):
        with pytest.raises(NotImplementedError, match=f"torch.distributed.{name}"):
            getattr(distributed, name)()
    assert not isinstance(torchlike.ones(1), distributed.ProcessGroup)
    assert distributed.ReduceOp.SUM and distributed.group.WORLD is None


def test_rooms_load_when_asked_for():
    import torchlike

    lazy = [name for name in torchlike._LAZY if name != "profiler"]
    code = f"import sys, torchlike; print([n for n in {lazy} if 'torchlike.' + n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


# ----- torch.hub -----
HUBCONF = '''
dependencies = ["math"]
import torch
def tiny(n=2, **kwargs):
    """A tiny model."""
    return torch.nn.Linear(n, 1, **kwargs)
def _private():
    pass
'''


def test_hub_local(tmp_path):
    import torchlike

    with torchlike.install():
        import torch

        (tmp_path / "hubconf.py").write_text(HUBCONF)
        hub = torch.hub
        assert hub.list(tmp_path, source="local") == hub.list(str(tmp_path)) == ["tiny"]
        assert hub.help(tmp_path, "tiny", source="local") == "A tiny model."
        assert hub.load(tmp_path, "tiny", 3, source="local", bias=False).in_features == 3
        with pytest.raises(RuntimeError, match="Cannot find callable other in hubconf"):
            hub.load(tmp_path, "other", source="local")
        with pytest.raises(ValueError, match='Unknown source: "web"'):
            hub.load(tmp_path, "tiny", source="web")
        with pytest.raises(NotImplementedError, match="source='github'"):
            hub.load("pytorch/vision", "resnet18")
        with pytest.raises(NotImplementedError, match="list: source=.github"):
            hub.list("pytorch/vision")
        (tmp_path / "hubconf.py").write_text("dependencies = ['no_such_module']\n")
        with pytest.raises(RuntimeError, match="Missing dependencies: no_such_module"):
            hub.list(tmp_path, source="local")


def test_hub_files(torch, tmp_path, capsys):
    hub = room(torch, "hub")
    source = tmp_path / "weights.pth"
    torch.save({"w": torch.ones(2)}, source)
    name = f"weights-{hashlib.sha256(source.read_bytes()).hexdigest()[:8]}.pth"
    source.rename(tmp_path / name)
    url, cache = (tmp_path / name).as_uri(), tmp_path / "cache"
    for _ in range(2):
        found = hub.load_state_dict_from_url(url, str(cache), check_hash=True, progress=False)
        assert found["w"].tolist() == [1.0, 1.0]
    assert capsys.readouterr().out == f'Downloading: "{url}" to {cache / name}\n'
    wrong = tmp_path / "weights-00000000.pth"
    (tmp_path / name).rename(wrong)
    with pytest.raises(RuntimeError, match="invalid hash value"):
        hub.load_state_dict_from_url(wrong.as_uri(), str(cache), check_hash=True, progress=False)
    assert [path.name for path in cache.iterdir()] == [name]


# ----- torch.profiler -----
def test_schedule(torch, golden):
    profiler = room(torch, "profiler")
    for settings in ((1, 1, 2, 1, 1), (0, 1, 1, 0, 0), (2, 1, 3, 2, 0), (0, 2, 2, 0, 3)):
        names = ("wait", "warmup", "active", "repeat", "skip_first")
        action = profiler.schedule(**dict(zip(names, settings, strict=True)))
        golden([action(step).name for step in range(16)])


def test_profile(tmp_path):
    import torchlike

    torch = torchlike
    model, x = torch.nn.Linear(4, 4), torch.randn(2, 4)
    with torch.profiler.profile(record_shapes=True) as prof:
        with torch.profiler.record_function("mine"):
            y = model(x).relu()
        y.sum().backward()
    rows = {row.key: row for row in prof.key_averages()}
    assert {"mine", "aten::relu", "aten::sum", "aten::sum_backward"} <= set(rows)
    assert rows["mine"].cpu_time_total > rows["mine"].self_cpu_time_total > 0
    table = prof.key_averages().table(sort_by="cpu_time_total", row_limit=2)
    lines = table.splitlines()
    assert lines[1].split("  ")[-2].strip() == "# of Calls" and len(lines) == 7
    assert lines[-1].startswith("Self CPU time total: ")
    prof.add_metadata_json("note", "[1]")
    prof.export_chrome_trace(tmp_path / "trace.json")
    trace = json.loads((tmp_path / "trace.json").read_text())
    assert {"ph", "name", "ts", "dur"} <= set(trace["traceEvents"][0]) and trace["note"] == [1]
    with pytest.raises(NotImplementedError, match="with_flops"):
        torch.profiler.profile(with_flops=True)


def test_profiled_shapes():
    import torchlike as torch

    x = torch.ones(4, 4)
    with torch.autograd.profiler.profile(record_shapes=True) as prof:
        x @ x, x @ torch.ones(4, 2)
    rows = [row for row in prof.key_averages(True) if row.key == "aten::mm"]
    assert [row.input_shapes for row in rows] == [[[4, 4], [4, 4]], [[4, 4], [4, 2]]]
    table = prof.key_averages(group_by_input_shape=True).table()
    assert "Input Shapes" in table and "[[4, 4], [4, 2]]" in table
    with pytest.raises(TypeError, match="unexpected keyword argument 'wth_stack'"):
        torch.autograd.profiler.profile(wth_stack=False)


def test_profile_by_schedule(tmp_path):
    import torchlike as torch

    profiler, ready = torch.profiler, []
    chosen = profiler.schedule(wait=1, warmup=1, active=2, repeat=2)
    with profiler.profile(
        activities=[profiler.ProfilerActivity.CPU], schedule=chosen,
        on_trace_ready=lambda prof: ready.append(prof.step_num), acc_events=True,
    ) as prof:  # fmt: skip
        for _ in range(10):
            torch.ones(2) + 1
            prof.step()
    assert ready == [4, 8]
    handler = profiler.tensorboard_trace_handler(str(tmp_path), worker_name="me")
    with profiler.profile(activities=[profiler.ProfilerActivity.CPU], on_trace_ready=handler):
        torch.ones(2) + 1
    assert [path.name.split(".")[0] for path in tmp_path.iterdir()] == ["me"]


def test_profile_tells_memory_and_lines(tmp_path):
    import torchlike as torch

    with torch.profiler.profile(profile_memory=True, with_stack=True) as prof:
        with torch.profiler.record_function("block"):
            y = torch.ones(100) + 1
    rows = {row.key: row for row in prof.key_averages(group_by_stack_n=1)}
    assert rows["aten::add"].self_cpu_memory_usage == y.nbytes == 400
    assert rows["block"].cpu_memory_usage > 400 and rows["block"].self_cpu_memory_usage == 0
    assert "test_rooms.py" in rows["aten::add"].stack[0]
    table = prof.key_averages(group_by_stack_n=1).table(sort_by="cpu_memory_usage")
    head, *lines = table.splitlines()[1:]
    assert "Self CPU Mem    # of Calls  Source Location" in head and "400 B" in table
    assert "block" in lines[1] and "test_rooms.py" in lines[1]
    top = prof.key_averages().table(top_level_events_only=True, header="H", time_unit="s")
    assert top.splitlines()[1::2][:1] == ["H"] and "aten::add" not in top and "us" not in top
    prof.export_stacks(tmp_path / "stacks")
    assert "test_profile_tells_memory_and_lines " in (tmp_path / "stacks").read_text()
    prof.export_chrome_trace(str(tmp_path / "trace.json.gz"))
    with gzip.open(tmp_path / "trace.json.gz", "rt") as file:
        assert "aten::add" in [event["name"] for event in json.load(file)["traceEvents"]]


def test_profile_steps():
    import torchlike as torch

    profiler = torch.profiler
    chosen = profiler.schedule(wait=0, warmup=1, active=1)
    with profiler.profile(schedule=chosen) as prof:
        for _ in range(2):
            torch.ones(2) + 1
            prof.step()
        names = [event.name for event in prof.events()]
        assert [name for name in names if name.startswith("Profiler")] == ["ProfilerStep#1"]
        with pytest.warns(UserWarning, match="set acc_events=True"):
            prof.step()


def test_profile_errors(torch, golden):
    profile = room(torch, "profiler").profile
    prof = profile()
    prof.step()
    golden.error(prof.events)
    golden.error(prof.key_averages)
    golden.error(lambda: prof.export_chrome_trace("never"))
    golden.error(lambda: profile(activities=[]))


def test_older_profile():
    import torchlike as torch

    with torch.profiler.profile() as prof:
        torch.ones(1)
    with pytest.raises(AssertionError, match=r"export_stacks\(\) requires with_stack=True"):
        prof.export_stacks("never")
    with torch.autograd.profiler.profile() as prof:
        assert repr(prof) == "<unfinished torch.autograd.profile>"
        with pytest.raises(RuntimeError, match="not reentrant"):
            prof.__enter__()
    with pytest.warns(FutureWarning, match="`use_cuda` is deprecated"):
        torch.profiler.profile(use_cuda=False)


# ----- torch.utils.benchmark -----
def test_benchmark(torch, capsys):
    benchmark = room(torch, "utils.benchmark")
    x = torch.ones(4)
    timer = benchmark.Timer("x + 1", globals={"x": x}, label="add", description="four")
    found = timer.timeit(20)
    assert len(found.times) == 1 and 0 < found.median == found.mean and found.number_per_run == 20
    assert "add\n" in repr(found) and "20 runs , 1 thread" in repr(found)
    merged = benchmark.Measurement.merge([found, timer.timeit(20)])
    assert len(merged) == 1 and len(merged[0].times) == 2
    benchmark.Compare([found]).print()
    shown = capsys.readouterr().out
    assert " add " in shown and "four" in shown and "Times are in " in shown


def measured(benchmark, label, name, column, times, **more):
    spec = benchmark.TaskSpec("s", "", label=label, sub_label=name, description=column, **more)
    return benchmark.Measurement(1, times, spec)


def test_compare(torch, golden):
    benchmark = room(torch, "utils.benchmark")
    found = [
        measured(benchmark, "L", "a", "one", [1e-6, 1.1e-6]),
        measured(benchmark, "L", "a", "two", [3e-6]),
        measured(benchmark, "L", "b", "one", [1e-3, 2e-3, 1.5e-3, 9e-3]),
        measured(benchmark, "L", "b", "two", [5e-2]),
        measured(benchmark, "L", "a", "one", [2e-6], num_threads=4),
        measured(benchmark, "M", "q", "one", [2.0]),
        measured(benchmark, "E", "a", "one", [2.0], env="x"),
        measured(benchmark, "E", "a", "one", [3.0], env="yy"),
    ]
    golden([repr(m).partition("\n")[2] for m in found])
    golden([(m.title, m.as_row_name, m.significant_figures, m.has_warnings) for m in found])
    table = benchmark.Compare(found)
    shown = [str(table)]
    for more in ("trim_significant_figures", "colorize", "highlight_warnings"):
        getattr(table, more)()
        shown.append(str(table))
    table.colorize(rowwise=True)
    golden([*shown, str(table)])
    long = benchmark.Measurement(2, [4.0, 6.0], benchmark.TaskSpec("a\nb", "set\nup"))
    golden([repr(long).partition("\n")[2], long.times])
    merged = benchmark.Measurement.merge([*found, found[0]])
    golden([m.times for m in merged])
    golden([benchmark.trim_sigfig(123.456, 2), benchmark.unit_to_english("us")])
    golden([benchmark.select_unit(t) for t in (1e-9, 2e-7, 1e-5, 0.02, 1.0, 7.0)])
    golden.error(lambda: benchmark.Timer(3))
    golden.error(lambda: benchmark.Timer("x", language="zz"))
    golden.error(lambda: benchmark.Timer("x", global_setup="y"))
    golden.error(lambda: table.extend_results([3]))


def test_questions(torch, golden):
    golden([torch.jit.is_scripting(), torch.compiler.is_compiling()])
    golden([room(torch, "_subclasses.fake_tensor").is_fake(torch.ones(1))])
    golden([room(torch, "fx.experimental.proxy_tensor").get_proxy_mode()])
    golden([room(torch, "onnx").is_in_onnx_export()])


def exported():
    import torchlike as torch

    torch.manual_seed(0)
    model, x = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh()), torch.ones(2, 4)
    return torch, model, x, torch.export.export(model, (x,))


def test_export():
    torch, model, x, program = exported()
    for found in (program.call(x), program.module()(x)):
        assert torch.allclose(found, model(x))
    assert "stablehlo" in program.stablehlo
    with pytest.raises(NotImplementedError, match="dynamic_shapes"):
        torch.export.export(model, (x,), dynamic_shapes={"x": 0})
    with pytest.raises(NotImplementedError, match="load: extra_files"):
        torch.export.load("nowhere", extra_files={"note": ""})
    with pytest.raises(ValueError, match="Expected `mod` to be an instance"):
        torch.export.export(len, (x,))


def test_exported_file_runs_without_torchlike(tmp_path):
    pytest.importorskip("flatbuffers", reason="jax.export writes files with it")
    torch, model, x, program = exported()
    path = str(tmp_path / "model")
    torch.export.save(program, path)
    assert torch.allclose(torch.export.load(path).call(x), model(x))
    code = (
        "import sys, jax.export, numpy as np\n"
        "f = jax.export.deserialize(bytearray(open(sys.argv[1], 'rb').read()))\n"
        "print(f.call(np.ones((2, 4), 'float32')).tolist(), 'torchlike' in sys.modules)\n"
    )
    command = [sys.executable, "-c", code, path]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    values, loaded = shown.rsplit(" ", 1)
    assert loaded == "False\n"
    assert json.loads(values) == [[pytest.approx(v) for v in row] for row in model(x).tolist()]
