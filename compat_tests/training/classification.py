"""A multi-layer perceptron learns which of three clouds a point belongs to."""

import torch
import torch.nn as nn

torch.manual_seed(0)
centres = torch.tensor([[0.0, 2.0], [2.0, -1.0], [-2.0, -1.0]])
labels = torch.randint(3, (48,))
points = centres[labels] + 0.7 * torch.randn(48, 2)

model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 3))
criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
print(model)
for step in range(20):
    model.train()
    optimizer.zero_grad()
    loss = criterion(model(points), labels)
    loss.backward()
    optimizer.step()
    if step % 4 == 3:
        model.eval()
        with torch.no_grad():
            accuracy = (model(points).argmax(1) == labels).float().mean()
        print(f"step {step + 1:2d}  loss {loss.item():.5f}  accuracy {accuracy:.3f}")
