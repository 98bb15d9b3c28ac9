"""A small convolutional network tells horizontal bars from vertical ones and crosses."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 8, 3)
        self.drop = nn.Dropout2d(0.1)
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.adaptive_avg_pool2d(self.drop(F.relu(self.conv2(x))), 1)
        return F.log_softmax(self.fc(x.flatten(1)), dim=1)


def images(count):
    labels = torch.randint(0, 3, (count,))
    pictures = 0.3 * torch.rand(count, 1, 8, 8)
    for picture, label in zip(pictures, labels.tolist()):
        where = int(torch.randint(8, (1,)))
        if label != 1:
            picture[0, where, :] += 1
        if label != 0:
            picture[0, :, where] += 1
    return pictures, labels


torch.manual_seed(0)
train_x, train_y = images(24)
test_x, test_y = images(12)
net = Net()
print(sum(p.numel() for p in net.parameters()), "parameters")
optimizer = torch.optim.RMSprop(net.parameters(), lr=0.01)
for epoch in range(5):
    net.train()
    for batch, target in zip(train_x.split(12), train_y.split(12)):
        optimizer.zero_grad()
        loss = F.nll_loss(net(batch), target)
        loss.backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        output = net(test_x)
        test_loss = F.nll_loss(output, test_y, reduction="sum").item() / len(test_y)
        correct = output.argmax(dim=1, keepdim=True).eq(test_y.view(-1, 1)).sum().item()
    print(f"epoch {epoch}: loss {loss:.5f}, test {test_loss:.5f}, {correct}/{len(test_y)}")
