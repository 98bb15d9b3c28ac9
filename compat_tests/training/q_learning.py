"""Deep Q-learning on a small grid: replay memory, epsilon-greedy, a target net, Huber loss."""

import copy
import random
from collections import deque, namedtuple

import torch
import torch.nn as nn

Transition = namedtuple("Transition", ("state", "action", "next_state", "reward"))
MOVES = [(0, 1), (0, -1), (1, 0), (-1, 0)]


def step(position, action, size=4):
    """The next cell (None at the goal) and the reward."""
    row, column = (max(0, min(size - 1, p + d)) for p, d in zip(position, MOVES[action]))
    if (row, column) == (size - 1, size - 1):
        return None, 1.0
    return (row, column), -0.02


class DQN(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1, self.layer2 = nn.Linear(2, 24), nn.Linear(24, 24)
        self.layer3 = nn.Linear(24, 4)

    def forward(self, x):
        return self.layer3(torch.tanh(self.layer2(torch.tanh(self.layer1(x)))))


random.seed(1)
torch.manual_seed(1)
policy_net = DQN()
target_net = copy.deepcopy(policy_net).eval()
optimizer = torch.optim.AdamW(policy_net.parameters(), lr=5e-3, amsgrad=True)
memory, position, greedy = deque([], maxlen=200), (0, 0), 0


def select(position, epsilon):
    global greedy
    if random.random() < epsilon:
        return torch.tensor([[random.randrange(4)]], dtype=torch.long)
    greedy += 1
    with torch.no_grad():
        return policy_net(torch.tensor([position], dtype=torch.float32)).max(1).indices.view(1, 1)


def optimize(batch_size=16, gamma=0.9):
    batch = Transition(*zip(*random.sample(memory, batch_size)))
    going = torch.tensor([s is not None for s in batch.next_state], dtype=torch.bool)
    following = torch.tensor([s for s in batch.next_state if s is not None], dtype=torch.float32)
    states = torch.tensor(batch.state, dtype=torch.float32)
    q = policy_net(states).gather(1, torch.cat(batch.action))
    next_values = torch.zeros(batch_size)
    with torch.no_grad():
        next_values[going] = target_net(following).max(1).values
    expected = next_values * gamma + torch.tensor(batch.reward)
    loss = nn.SmoothL1Loss()(q, expected.unsqueeze(1))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_value_(policy_net.parameters(), 1)
    optimizer.step()
    return loss.item()


for i in range(70):
    action = select(position, epsilon=max(0.1, 0.9 - i / 60))
    after, reward = step(position, action.item())
    memory.append(Transition(position, action, after, reward))
    position = after or (0, 0)
    if len(memory) < 20:
        continue
    loss = optimize()
    state = target_net.state_dict()
    for key, value in policy_net.state_dict().items():
        state[key] = value * 0.1 + state[key] * 0.9
    target_net.load_state_dict(state)
    print(i, action.item(), position, f"loss {loss:.6f}")
print("greedy choices", greedy)
grid = torch.cartesian_prod(torch.arange(4.0), torch.arange(4.0))
print(policy_net(grid).max(1).values.reshape(4, 4))
