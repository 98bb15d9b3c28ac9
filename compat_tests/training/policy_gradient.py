"""REINFORCE on a corridor: discounted returns, a baseline, an entropy bonus."""

import torch
import torch.nn as nn
from torch.distributions import Categorical


class Corridor:
    """Walk right from cell 0 to the last; each step costs, the end pays."""

    def __init__(self, cells=6, limit=20):
        self.cells, self.limit = cells, limit

    def observe(self):
        seen = torch.zeros(self.cells)
        seen[self.at] = 1.0
        return seen

    def reset(self):
        self.at, self.time = 0, 0
        return self.observe()

    def step(self, action):
        self.at = max(0, min(self.cells - 1, self.at + (1 if action == 1 else -1)))
        self.time += 1
        won = self.at == self.cells - 1
        return self.observe(), 1.0 if won else -0.05, won or self.time >= self.limit


class Policy(nn.Module):
    def __init__(self, cells=6):
        super().__init__()
        self.affine = nn.Linear(cells, 16)
        self.action_head, self.value_head = nn.Linear(16, 2), nn.Linear(16, 1)

    def forward(self, x):
        x = torch.relu(self.affine(x))
        return Categorical(logits=self.action_head(x)), self.value_head(x)


torch.manual_seed(543)
env, policy = Corridor(), Policy()
optimizer = torch.optim.Adam(policy.parameters(), lr=3e-2)
running = 0.0
for episode in range(50):
    state, log_probs, values, entropies, rewards, done = env.reset(), [], [], [], [], False
    while not done:
        pi, value = policy(state)
        action = pi.sample()
        log_probs.append(pi.log_prob(action))
        entropies.append(pi.entropy())
        values.append(value)
        state, reward, done = env.step(action.item())
        rewards.append(reward)
    R, returns = 0.0, []
    for r in rewards[::-1]:
        R = r + 0.97 * R
        returns.insert(0, R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + 1e-6)
    values = torch.cat(values)
    policy_loss = [-lp * (R - v.item()) for lp, R, v in zip(log_probs, returns, values)]
    optimizer.zero_grad()
    loss = torch.stack(policy_loss).sum() + nn.functional.smooth_l1_loss(values, returns)
    (loss - 0.01 * torch.stack(entropies).sum()).backward()
    optimizer.step()
    running = 0.9 * running + 0.1 * sum(rewards)
    print(f"episode {episode}: length {len(rewards)} loss {loss.item():.3f} running {running:.4f}")
