"""The examples run unmodified, and print what they print with PyTorch; README's code runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# what real torch 2.13 prints for the first epoch, seed 0
LOSS, TEST_LOSS, ACCURACY = 1.4513, 1.1337, 84.72


@pytest.fixture(scope="module")
def digits(request, tmp_path_factory):
    """(printed text, output folder) of two epochs of examples/digits.py."""
    folder = tmp_path_factory.mktemp("digits")
    alias = [] if request.config.getoption("--oracle") else ["-m", "torchlike"]
    command = [sys.executable, *alias, str(ROOT / "examples/digits.py"), "--epochs", "2"]
    done = subprocess.run([*command, "--out", str(folder)], cwd=ROOT, capture_output=True,
                          text=True, env={**os.environ, "MPLBACKEND": "agg"})
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout, folder


def test_digits_first_epoch(torch, digits):
    line = re.search(r"epoch  1  loss ([\d.]+)  test ([\d.]+)  ([\d.]+)%", digits[0])
    assert float(line[1]) == pytest.approx(LOSS, rel=1e-3)
    assert float(line[2]) == pytest.approx(TEST_LOSS, rel=1e-3)
    assert float(line[3]) == pytest.approx(ACCURACY, abs=0.3)


def test_digits_leaves_its_files(torch, digits):
    folder = digits[1]
    assert {"digits.pt", "losses.png", "predictions.png", "graph.dot"} <= set(os.listdir(folder))
    graph = (folder / "graph.dot").read_text()
    for part in ("ConvolutionBackward0", "NativeBatchNormBackward0", "NllLossBackward0",
                 "MaxPool2DWithIndicesBackward0", "AccumulateGrad", "conv1.weight"):
        assert part in graph


README = re.findall(r"```(python|pycon)\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
GIVEN = """
import torchlike as torch
F, net = torch.nn.functional, torch.nn.Linear(2, 2)
opt = torch.optim.Adam(net.parameters())
"""  # what README's blocks take for granted


DOCTEST = """
import doctest, sys
test = doctest.DocTestParser().get_doctest(sys.argv[1], {"torch": torch}, "README", None, 0)
sys.exit(doctest.DocTestRunner().run(test).failed)
"""


@pytest.mark.parametrize("kind, code", README, ids=lambda text: text.strip().splitlines()[0][:30])
def test_readme(kind, code):
    program = GIVEN + (DOCTEST if kind == "pycon" else code)
    done = subprocess.run([sys.executable, "-c", program, code], cwd=ROOT, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
