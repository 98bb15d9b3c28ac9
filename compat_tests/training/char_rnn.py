"""A recurrent network learns the next character of a line, then writes one."""

import torch
from torch import nn

text = "the quick brown fox jumps over the lazy dog. "
letters = sorted(set(text))
index = {c: i for i, c in enumerate(letters)}


class CharRNN(nn.Module):
    def __init__(self, size, hidden=24):
        super().__init__()
        self.embed = nn.Embedding(size, 12)
        self.rnn = nn.RNN(12, hidden, batch_first=True)
        self.out = nn.Linear(hidden, size)

    def forward(self, x, h=None):
        y, h = self.rnn(self.embed(x), h)
        return self.out(y), h


torch.manual_seed(0)
codes = torch.tensor([index[c] for c in text])
batch = codes.unfold(0, 11, 4)
model = CharRNN(len(letters))
optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
for step in range(15):
    logits, _ = model(batch[:, :-1])
    loss = nn.functional.cross_entropy(logits.transpose(1, 2), batch[:, 1:])
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    print(f"step {step} loss {loss.item():.4f} perplexity {loss.exp().item():.3f}")

model.eval()
letter, h, said = torch.tensor([[index["t"]]]), None, "t"
with torch.no_grad():
    for _ in range(8):
        logits, h = model(letter, h)
        letter = logits[:, -1].argmax(-1, keepdim=True)
        said += letters[letter.item()]
print(repr(said))
