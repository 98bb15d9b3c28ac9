"""A bidirectional LSTM counts, on padded sequences of different lengths."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

torch.manual_seed(0)
lengths = [7, 5, 4, 4, 2, 1]
sequences = [torch.randint(0, 2, (n, 1)).float() for n in lengths]
targets = torch.stack([s.sum() for s in sequences])
padded = pad_sequence(sequences, batch_first=True)
packed = pack_padded_sequence(padded, torch.tensor(lengths), batch_first=True)


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 8, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(16, 1)

    def forward(self, packed):
        out, (h, c) = self.lstm(packed)
        out, sizes = pad_packed_sequence(out, batch_first=True)
        mask = torch.arange(out.size(1))[None, :] < sizes[:, None]
        pooled = out.masked_fill(~mask.unsqueeze(-1), 0).sum(1)
        return self.head(pooled).squeeze(-1)


model = Counter()
print(padded.shape, packed.batch_sizes)
optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
for step in range(12):
    loss = nn.functional.smooth_l1_loss(model(packed), targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, f"{loss.item():.5f}")
print([round(v, 3) for v in model(packed).tolist()], targets.tolist())
