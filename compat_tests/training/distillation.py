"""Knowledge distillation: soft targets, a feature regressor, a frozen teacher, label smoothing."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(42)
centres = torch.randn(5, 10) * 1.5
labels = torch.randint(0, 5, (160,))
dataset = TensorDataset(centres[labels] + torch.randn(160, 10), labels)
loader = DataLoader(dataset, batch_size=32, shuffle=True)


class Net(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(10, hidden), nn.ELU(), nn.Dropout(0.1))
        self.classifier = nn.Linear(hidden, 5)

    def forward(self, x):
        h = self.features(x)
        return self.classifier(h), h


def train(model, epochs):
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = torch.optim.Adamax(model.parameters(), lr=0.02)
    model.train()
    for epoch in range(epochs):
        running = 0.0
        for inputs, labels in loader:
            optimizer.zero_grad()
            loss = criterion(model(inputs)[0], labels)
            loss.backward()
            optimizer.step()
            running += loss.item()
        print(f"Epoch {epoch + 1}/{epochs}, Loss: {running / len(loader):.5f}")


def distill(teacher, student, epochs, T=2.0, soft=0.25, hard=0.75):
    regressor = nn.Linear(6, 24)
    params = [{"params": student.parameters()}, {"params": regressor.parameters(), "lr": 1e-3}]
    optimizer = torch.optim.NAdam(params, lr=0.01)
    teacher.eval()
    student.train()
    for epoch in range(epochs):
        running = torch.zeros(4)
        for inputs, labels in loader:
            with torch.no_grad():
                teacher_logits, teacher_h = teacher(inputs)
            logits, h = student(inputs)
            kl = F.kl_div(F.log_softmax(logits / T, -1), F.log_softmax(teacher_logits / T, -1),
                          reduction="batchmean", log_target=True) * T**2
            cosine = F.cosine_embedding_loss(regressor(h), teacher_h, torch.ones(inputs.size(0)))
            ce = F.cross_entropy(logits, labels)
            loss = soft * kl + hard * ce + 0.1 * cosine
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            running += torch.stack([loss, kl, ce, cosine]).detach()
        print(f"distill {epoch}:", *(f"{v:.5f}" for v in (running / len(loader)).tolist()))


@torch.inference_mode()
def accuracy(model):
    model.eval()
    return sum((model(x)[0].argmax(1) == y).sum().item() for x, y in loader) / len(dataset)


teacher, student = Net(24), Net(6)
print("parameters:", *(f"{sum(p.numel() for p in m.parameters()):,}" for m in (teacher, student)))
train(teacher, 4)
print(f"teacher {accuracy(teacher):.4f}")
distill(teacher, student, 6)
print(f"student {accuracy(student):.4f}", all(p.grad is not None for p in student.parameters()))
