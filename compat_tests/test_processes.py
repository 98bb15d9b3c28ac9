"""Tensors that two processes share."""

import pytest

import torchlike as torch
from torchlike import processes


def double(i, tensor, queue):
    """In the other process: writes to what it was given, and sends something of its own."""
    if i < 0 or not tensor.is_shared():
        raise ValueError("not shared")
    tensor.mul_(2)
    own = torch.full((2,), 3.0)
    queue[0].put(own)
    queue[1].get()  # until then `own` must stay: its memory is fetched from here
    raise RuntimeError(f"seen {own.tolist()}")


def test_memory_is_shared_and_errors_come_back():
    tensor = torch.arange(3.0)
    back = tensor[1:]
    queue = [processes.get_context("spawn").SimpleQueue() for _ in range(2)]
    context = processes.spawn(double, (tensor, queue), join=False)
    got = queue[0].get()
    got += 1
    queue[1].put("seen")
    with pytest.raises(processes.ProcessRaisedException, match=r"seen \[4.0, 4.0\]") as error:
        context.join()
    assert tensor.tolist() == [0, 2, 4] and back.tolist() == [2, 4]
    assert error.value.error_index == 0 and context.pids() == [error.value.error_pid]
    assert "-- Process 0 terminated with the following error:" in str(error.value)
