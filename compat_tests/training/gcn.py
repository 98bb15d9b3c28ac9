"""Graph convolution (Kipf): a sparse adjacency as in pygcn, and the same net with a dense one."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.parameter import Parameter


class GraphConvolution(nn.Module):
    def __init__(self, in_features, out_features, bias=True):
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(torch.FloatTensor(in_features, out_features))
        if bias:
            self.bias = Parameter(torch.FloatTensor(out_features))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self):
        stdv = 1.0 / math.sqrt(self.weight.size(1))
        self.weight.data.uniform_(-stdv, stdv)
        if self.bias is not None:
            self.bias.data.uniform_(-stdv, stdv)

    def forward(self, input, adj):
        support = torch.mm(input, self.weight)
        output = torch.spmm(adj, support) if adj.is_sparse else adj @ support
        return output + self.bias if self.bias is not None else output

    def __repr__(self):
        return f"{self.__class__.__name__} ({self.in_features} -> {self.out_features})"


class GCN(nn.Module):
    def __init__(self, nfeat, nhid, nclass, dropout):
        super().__init__()
        self.gc1, self.gc2 = GraphConvolution(nfeat, nhid), GraphConvolution(nhid, nclass)
        self.dropout = dropout

    def forward(self, x, adj):
        x = F.relu(self.gc1(x, adj))
        x = F.dropout(x, self.dropout, training=self.training)
        return F.log_softmax(self.gc2(x, adj), dim=1)


torch.sparse.check_sparse_tensor_invariants.enable()


def graph(n=34, edges=70):
    """Two communities: the edges' ends, the labels, and D^-1 (A + I) in COO."""
    labels = (torch.arange(n) >= n // 2).long()
    a, b = torch.randint(n, (edges,)), torch.randint(n, (edges,))
    b = torch.where((labels[a] != labels[b]) & (torch.rand(edges) < 0.8), (b + n // 2) % n, b)
    rows = torch.cat([a, b, torch.arange(n)])
    columns = torch.cat([b, a, torch.arange(n)])
    adj = torch.sparse_coo_tensor(torch.stack([rows, columns]), torch.ones(len(rows)), (n, n))
    adj = adj.coalesce()
    degree = torch.sparse.sum(adj, dim=1).to_dense()
    values = adj.values() / degree[adj.indices()[0]]
    return torch.sparse_coo_tensor(adj.indices(), values, (n, n)).coalesce(), labels


torch.manual_seed(42)
adj, labels = graph()
print(adj.shape, adj._nnz(), adj.is_coalesced())
features = torch.eye(34)
train = torch.tensor([0, 3, 8, 20, 25, 33])
for kind in ("sparse", "dense"):
    torch.manual_seed(7)
    model = GCN(34, 8, 2, dropout=0.3)
    print(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05, weight_decay=5e-4)
    operator = adj if kind == "sparse" else adj.to_dense()
    for epoch in range(25):
        model.train()
        optimizer.zero_grad()
        output = model(features, operator)
        loss = F.nll_loss(output[train], labels[train])
        loss.backward()
        optimizer.step()
        model.eval()
        correct = model(features, operator).max(1)[1].type_as(labels).eq(labels).double().sum()
        accuracy = (correct / 34).item()
        print(f"{kind} {epoch + 1:02d} loss_train: {loss.item():.4f} acc: {accuracy:.4f}")
torch.sparse.check_sparse_tensor_invariants.disable()
