"""A GRU encoder and an attentive GRU decoder learn to reverse a sequence."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Attention(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.query, self.keys, self.energy = (
            nn.Linear(size, size), nn.Linear(size, size), nn.Linear(size, 1))

    def forward(self, query, keys):
        scores = self.energy(torch.tanh(self.query(query).unsqueeze(1) + self.keys(keys)))
        weights = F.softmax(scores.squeeze(2), dim=-1)
        return torch.bmm(weights.unsqueeze(1), keys).squeeze(1), weights


class Seq2Seq(nn.Module):
    def __init__(self, vocabulary, size=16):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, size)
        self.encoder = nn.GRU(size, size, batch_first=True)
        self.attention = Attention(size)
        self.cell = nn.GRUCell(2 * size, size)
        self.out = nn.Linear(size, vocabulary)

    def forward(self, source, target):
        memory, hidden = self.encoder(self.embedding(source))
        hidden, token, outputs = hidden[0], torch.zeros_like(source[:, 0]), []
        for t in range(target.size(1)):
            context, self.weights = self.attention(hidden, memory)
            hidden = self.cell(torch.cat([self.embedding(token), context], dim=1), hidden)
            outputs.append(self.out(hidden))
            token = target[:, t]
        return torch.stack(outputs, dim=1)


torch.manual_seed(0)
source = torch.randint(1, 6, (8, 4))
target = source.flip(1)
model = Seq2Seq(6)
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
for step in range(10):
    output = model(source, target)
    loss = F.cross_entropy(output.reshape(-1, 6), target.reshape(-1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    right = (output.argmax(-1) == target).float().mean().item()
    print(f"{step} {loss.item():.4f} {right:.3f}")
print(model.weights[0].detach())
