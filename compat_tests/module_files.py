"""Modules saved whole, as PyTorch's own files and as plain pickles."""

import io
import pickle
import pickletools
import zipfile
from pathlib import Path

PATH = Path(__file__).parent / "goldens" / "modules.zip"
# what builds a module, and what it is called with
MODULES = {
    "lstm": ("nn.LSTM(2, 2, 2, bidirectional=True)", "torch.ones(3, 1, 2)"),
    "gru": ("nn.GRU(2, 2, batch_first=True)", "torch.ones(1, 3, 2)"),
    "cell": ("nn.LSTMCell(2, 2)", "torch.ones(1, 2)"),
    "conv": ("nn.Conv2d(1, 2, 2, padding=1, padding_mode='circular')", "torch.ones(1, 1, 3, 3)"),
    "attention": ("nn.MultiheadAttention(2, 1)", "*[torch.ones(2, 1, 2)] * 3"),
    "encoder": ("nn.TransformerEncoder(nn.TransformerEncoderLayer("
                "2, 1, 2, 0., activation='gelu', batch_first=True), 1)", "torch.ones(1, 2, 2)"),
    "sequence": ("nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.LayerNorm(2), nn.Softmax(-1), "
                 "nn.GELU(), nn.Flatten(), nn.BatchNorm1d(2), nn.PReLU())", "torch.ones(2, 2)"),
    "containers": ("nn.ModuleDict({'a': nn.ModuleList([nn.Bilinear(1, 1, 1)]), "
                   "'b': nn.ParameterList([torch.ones(1)])})", ""),
    "embeddings": ("nn.EmbeddingBag(3, 2)", "torch.tensor([[0, 2]])"),
    "loss": ("nn.CrossEntropyLoss(weight=torch.ones(2))", "torch.ones(1, 2), torch.tensor([1])"),
    "lazy": ("nn.LazyLinear(1)", ""),
    "weight norm": ("nn.utils.weight_norm(nn.Linear(2, 1))", "torch.ones(1, 2)"),
    "spectral norm": ("nn.utils.spectral_norm(nn.Linear(2, 2)).eval()", "torch.ones(1, 2)"),
    "pruned": ("nn.utils.prune.l1_unstructured(nn.Linear(2, 1), 'weight', 1)", "torch.ones(1, 2)"),
    "normal": ("torch.distributions.MultivariateNormal(torch.zeros(2), torch.eye(2))", ""),
    "gumbel": ("torch.distributions.Gumbel(torch.zeros(2), 1.)", ""),
}  # fmt: skip


def built(torch, name):
    torch.manual_seed(0)
    return eval(MODULES[name][0], {"torch": torch, "nn": torch.nn})


def result(torch, name, module):
    """What the module gives for its input, as numbers."""
    given = MODULES[name][1]
    if not given:
        return repr(module)
    with torch.no_grad():
        out = eval(f"module({given})", {"torch": torch, "module": module})
    return [round(x, 5) for x in (out[0] if isinstance(out, tuple) else out).flatten().tolist()]


def written(torch, name):
    """The files: torch.save's, a plain pickle, and what the module gives."""
    module, file = built(torch, name), io.BytesIO()
    torch.save(module, file)
    plain = pickle.dumps(module)
    text = repr(result(torch, name, module))
    return {"pt": file.getvalue(), "pkl": plain, "txt": text}


def names_in(file):
    """The classes and functions that a file of torch.save's names, gelu by its public name."""
    archive = zipfile.ZipFile(file)
    data = next(n for n in archive.namelist() if n.endswith("data.pkl"))
    operations = pickletools.genops(archive.read(data))
    names = {arg for code, arg, _ in operations if code.name == "GLOBAL"}
    return {name.replace("torch._C._nn", "torch.nn.functional") for name in names}
