"""Train a small convolutional network on scikit-learn's handwritten digits, in plain PyTorch.

    python examples/digits.py                  # with PyTorch
    python -m torchlike examples/digits.py     # the same file on JAX, no PyTorch installed

Prints every epoch's losses and the test accuracy. Leaves in --out (digits-out/) the checkpoint,
the loss curve, some digits with the model's answers, and the autograd graph as torchviz draws it.
"""

import argparse
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchviz import make_dot
from tqdm import tqdm


class DigitNet(nn.Module):
    """Two convolutional blocks, 8x8 -> 4x4 -> 2x2, and a classifier."""

    def __init__(self, width=16, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, kernel_size=3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, 2 * width, kernel_size=3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(2 * width)
        self.dropout = nn.Dropout(0.25)
        self.hidden = nn.Linear(2 * width * 2 * 2, 64)
        self.out = nn.Linear(64, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.norm2(self.conv2(x))), 2)
        x = self.dropout(torch.flatten(x, start_dim=1))
        return self.out(F.relu(self.hidden(x)))


def load_data():
    """The 1797 digits, 1x8x8 images in [0, 1] with their labels: four fifths to train on."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype("float32").reshape(-1, 1, 8, 8)
    parts = train_test_split(images, labels, test_size=0.2, stratify=labels, random_state=0)
    train_x, test_x, train_y, test_y = map(torch.from_numpy, parts)
    return TensorDataset(train_x, train_y), TensorDataset(test_x, test_y)


def train_epoch(model, loader, optimizer, epoch):
    """One pass over the training set; the mean loss."""
    model.train()
    total = 0.0
    for images, labels in tqdm(loader, desc=f"epoch {epoch:2d}", leave=False):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
    return total / len(loader.dataset)


@torch.no_grad()
def evaluate(model, loader):
    """The mean loss and the share of digits it names right."""
    model.eval()
    total, correct = 0.0, 0
    for images, labels in loader:
        logits = model(images)
        total += F.cross_entropy(logits, labels, reduction="sum").item()
        correct += (logits.argmax(dim=1) == labels).sum().item()
    return total / len(loader.dataset), correct / len(loader.dataset)


def plot_losses(history, path):
    """Training and test loss by epoch."""
    figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
    for label, losses in zip(("training", "test"), zip(*history)):
        axes.plot(range(1, len(losses) + 1), losses, marker="o", markersize=3, label=label)
    axes.set(xlabel="epoch", ylabel="cross entropy", yscale="log")
    axes.grid(alpha=0.3, which="both")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)


@torch.no_grad()
def plot_predictions(model, dataset, path, rows=4, columns=8):
    """The test digits the model is least sure of, with its answers; red where it is wrong."""
    images, labels = dataset.tensors
    confidence, answers = F.softmax(model(images), dim=1).max(dim=1)
    figure, grid = plt.subplots(rows, columns, figsize=(columns, 1.3 * rows), layout="constrained")
    for axes, i in zip(grid.flat, confidence.argsort()):
        axes.imshow(images[i, 0], cmap="gray_r")
        title = axes.set_title(f"{answers[i]} ({confidence[i]:.0%})", fontsize=9)
        title.set_color("black" if answers[i] == labels[i] else "red")
        axes.axis("off")
    figure.savefig(path, dpi=150)


def draw_graph(model, dataset, path):
    """The autograd graph of one batch's loss, as source and, where Graphviz exists, as SVG."""
    images, labels = dataset[:4]
    loss = F.cross_entropy(model(images), labels)
    graph = make_dot(loss, params=dict(model.named_parameters()))
    graph.save(path)
    if shutil.which("dot"):
        graph.render(outfile=path.with_suffix(".svg"), cleanup=True)
    else:
        print(f"no Graphviz here to draw {path.name}: `dot` is not on the PATH")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--out", type=Path, default=Path("digits-out"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    train_set, test_set = load_data()
    train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=256)
    model = DigitNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=5, gamma=0.5)
    print(model)

    history = []
    for epoch in range(1, args.epochs + 1):
        train_loss = train_epoch(model, train_loader, optimizer, epoch)
        test_loss, accuracy = evaluate(model, test_loader)
        history.append((train_loss, test_loss))
        scheduler.step()
        print(f"epoch {epoch:2d}  loss {train_loss:.4f}  test {test_loss:.4f}  {accuracy:.2%}")
    torch.save({"model": model.state_dict(), "history": history}, args.out / "digits.pt")
    model = DigitNet()
    model.load_state_dict(torch.load(args.out / "digits.pt")["model"])
    print(f"test accuracy of the saved model: {evaluate(model, test_loader)[1]:.2%}")
    plot_losses(history, args.out / "losses.png")
    plot_predictions(model, test_set, args.out / "predictions.png")
    draw_graph(model, train_set, args.out / "graph.dot")
    print("wrote", *sorted(map(str, args.out.iterdir())))


if __name__ == "__main__":
    main()
