"""Word vectors: skip-gram with negative sampling, then an EmbeddingBag text classifier."""

import collections

import torch
import torch.nn as nn
import torch.nn.functional as F

TEXT = ("the king rules the land the queen rules the land the dog chases the cat "
        "the cat chases the mouse a king and a queen sit a dog and a cat run").split()
counts = collections.Counter(TEXT)
vocab = sorted(counts, key=lambda w: (-counts[w], w))
stoi = {w: i for i, w in enumerate(vocab)}
ids = torch.tensor([stoi[w] for w in TEXT])


class SkipGram(nn.Module):
    def __init__(self, n, dim):
        super().__init__()
        self.input = nn.Embedding(n, dim, max_norm=2.0)
        self.output = nn.Embedding(n, dim)
        self.output.weight.data.uniform_(-0.5 / dim, 0.5 / dim)

    def forward(self, centre, context, negative):
        v = self.input(centre)
        positive = F.logsigmoid((v * self.output(context)).sum(1))
        noise = F.logsigmoid(-torch.bmm(self.output(negative), v.unsqueeze(2)).squeeze(2)).sum(1)
        return -(positive + noise).mean()


torch.manual_seed(0)
n = len(ids)
pairs = [(i, j) for i in range(n) for j in range(max(0, i - 2), min(n, i + 3)) if i != j]
pairs = torch.tensor(pairs)
noise = torch.tensor([counts[w] for w in vocab], dtype=torch.float).pow(0.75)
model = SkipGram(len(vocab), 8)
optimizer = torch.optim.Adagrad(model.parameters(), lr=0.3)
for i in range(35):
    chosen = pairs[torch.randint(len(pairs), (16,))]
    negative = torch.multinomial(noise, 16 * 3, replacement=True).view(16, 3)
    loss = model(ids[chosen[:, 0]], ids[chosen[:, 1]], negative)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{i} {loss.item():.5f}")
vectors = F.normalize(model.input.weight.detach(), dim=1)
print("like king:", [vocab[j] for j in (vectors @ vectors[stoi["king"]]).topk(3).indices])
print("norms:", bool((model.input.weight.norm(dim=1) < 2.001).all()))


class TextClassifier(nn.Module):
    def __init__(self, vocab_size, embed_dim, num_class):
        super().__init__()
        self.embedding = nn.EmbeddingBag(vocab_size, embed_dim, mode="mean")
        self.fc = nn.Linear(embed_dim, num_class)
        self.embedding.weight.data.uniform_(-0.5, 0.5)
        self.fc.weight.data.uniform_(-0.5, 0.5)
        self.fc.bias.data.zero_()

    def forward(self, text, offsets):
        return self.fc(self.embedding(text, offsets))


def collate_batch(batch):
    labels, texts, offsets = [], [], [0]
    for label, words in batch:
        labels.append(label)
        texts.append(torch.tensor([stoi[w] for w in words.split()], dtype=torch.int64))
        offsets.append(texts[-1].size(0))
    return torch.tensor(labels), torch.cat(texts), torch.tensor(offsets[:-1]).cumsum(dim=0)


corpus = [(0, "the king rules"), (0, "a queen and a king"), (1, "the dog"), (1, "the cat run"),
          (1, "a mouse"), (0, "the land")]
loader = torch.utils.data.DataLoader(corpus, batch_size=3, shuffle=True, collate_fn=collate_batch)
model = TextClassifier(len(vocab), 8, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3, gamma=0.5)
for epoch in range(8):
    for label, text, offsets in loader:
        optimizer.zero_grad()
        predicted = model(text, offsets)
        loss = F.cross_entropy(predicted, label)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
        print(f"epoch {epoch} {loss.item():.5f} {tuple(text.shape)} "
              f"{(predicted.argmax(1) == label).sum().item()}/{len(label)}")
    scheduler.step()
