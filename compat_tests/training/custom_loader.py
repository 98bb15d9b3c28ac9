"""Custom Dataset, Sampler, batch sampler and collate_fn: padded, length-bucketed sequences."""

import torch
import torch.nn as nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    Sampler,
    Subset,
    WeightedRandomSampler,
    random_split,
)


class Sequences(Dataset):
    """Token sequences of many lengths; the label is whether token 1 comes more often than 2."""

    def __init__(self, n, generator):
        lengths = torch.randint(2, 9, (n,), generator=generator).tolist()
        self.items = [torch.randint(1, 6, (k,), generator=generator) for k in lengths]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        x = self.items[i]
        return {"x": x, "y": int((x == 1).sum() > (x == 2).sum()), "length": len(x)}


class BucketSampler(Sampler[list]):
    def __init__(self, lengths, batch_size, generator=None):
        self.lengths, self.batch_size, self.generator = lengths, batch_size, generator

    def __iter__(self):
        order = sorted(range(len(self.lengths)), key=lambda i: self.lengths[i])
        batches = [order[i:i + self.batch_size] for i in range(0, len(order), self.batch_size)]
        for i in torch.randperm(len(batches), generator=self.generator).tolist():
            yield batches[i]

    def __len__(self):
        return -(-len(self.lengths) // self.batch_size)


def collate(batch):
    batch.sort(key=lambda item: item["length"], reverse=True)
    x = pad_sequence([item["x"] for item in batch], batch_first=True)
    lengths = torch.tensor([item["length"] for item in batch])
    return (x, lengths), torch.tensor([item["y"] for item in batch])


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(6, 6, padding_idx=0)
        self.gru = nn.GRU(6, 8, batch_first=True, bidirectional=True)
        self.head = nn.Linear(16, 2)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(self.embed(x), lengths, batch_first=True)
        _, hidden = self.gru(packed)
        return self.head(torch.cat([hidden[0], hidden[1]], dim=1))


torch.manual_seed(0)
generator = torch.Generator().manual_seed(7)
train, test = random_split(Sequences(48, generator), [0.75, 0.25], generator=generator)
print(len(train), len(test), test.indices)
lengths = [train[i]["length"] for i in range(len(train))]
loader = DataLoader(train, batch_sampler=BucketSampler(lengths, 6, generator), collate_fn=collate)
model = Tagger()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(6):
    for (x, n), y in loader:
        loss = nn.functional.cross_entropy(model(x, n), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(epoch, tuple(x.shape), n.tolist(), f"{loss.item():.5f}")
with torch.no_grad():
    (x, n), y = next(iter(DataLoader(test, batch_size=len(test), collate_fn=collate)))
    print("right:", (model(x, n).argmax(1) == y).sum().item(), "of", len(y))

labels = torch.tensor([train[i]["y"] for i in range(len(train))])
weights = (1.0 / labels.bincount())[labels]
sampler = WeightedRandomSampler(weights, num_samples=12, generator=generator)
print(list(sampler), list(BatchSampler(range(7), batch_size=3, drop_last=False)))
records = [{"a": i, "b": (float(i), [i, -i]), "c": str(i)} for i in range(6)]
default = DataLoader(Subset(records, [5, 1, 3]), batch_size=2)
for batch in default:
    print(batch)


class Stream(IterableDataset):
    def __iter__(self):
        return (torch.full((2,), i) for i in range(5))


for batch in DataLoader(Stream(), batch_size=2, drop_last=True):
    print(batch)
