"""Prints the losses that torch.test.ts expects: those of PyTorch's side of docs/migration/ports.md, from numbers that both make."""

import json

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def numbers(shape, seed, scale=1.0):
    n = int(np.prod(shape))
    return torch.tensor((np.sin(np.arange(n) * 0.7 + seed) * scale).astype(np.float32).reshape(shape))


def filled(model):
    for seed, (name, p) in enumerate(model.named_parameters()):
        if name.endswith('weight') and p.dim() == 1:  # a gain
            p.data = 1 + numbers(p.shape, seed, 0.1)
        else:
            p.data = numbers(p.shape, seed, 0.3 / max(1, p[0].numel()) ** 0.5)
    return model


def train(loss, optimizer, steps=4, clip=None, parameters=()):
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss()
        value.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(parameters, clip)
        optimizer.step()
        losses.append(value.item())
    return losses


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc3(F.relu(self.fc2(x)))


def lenet():
    model = filled(LeNet())
    x, y = numbers((4, 1, 28, 28), 1), torch.tensor([3, 1, 4, 1])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    return train(lambda: F.cross_entropy(model(x), y, label_smoothing=0.1), optimizer)


class Block(nn.Module):
    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, filters, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.short = nn.Sequential(nn.Conv2d(inputs, filters, 1, stride, bias=False), nn.BatchNorm2d(filters))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.short(x))


def resnet():
    model = filled(Block(3, 4, 2)).train()
    x, y = numbers((2, 3, 8, 8), 1), numbers((2, 4, 4, 4), 2)
    losses = train(lambda: F.mse_loss(model(x), y), torch.optim.SGD(model.parameters(), lr=0.1))
    model.eval()
    return losses + [F.mse_loss(model(x), y).item()]


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 6)
        self.lstm = nn.LSTM(6, 5, batch_first=True)
        self.head = nn.Linear(5, 2)

    def forward(self, ids, lengths):
        x = nn.utils.rnn.pack_padded_sequence(self.embedding(ids), lengths, batch_first=True, enforce_sorted=False)
        _, (h, _) = self.lstm(x)
        return self.head(h[-1])


def lstm():
    model = filled(Lstm())
    model.lstm.bias_hh_l0.requires_grad_(False)  # the sum of two biases moves twice as far as one
    ids = torch.arange(21).reshape(3, 7) * 5 % 20
    lengths, y = torch.tensor([7, 2, 5]), torch.tensor([0, 1, 1])
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=0.01)
    return train(lambda: F.cross_entropy(model(ids, lengths), y), optimizer, clip=0.1, parameters=parameters)


def gru():
    model = filled(nn.GRU(3, 4, batch_first=True))
    x, y = numbers((2, 5, 3), 1), numbers((2, 5, 4), 2)
    return train(lambda: F.smooth_l1_loss(model(x)[0], y, beta=0.5), torch.optim.SGD(model.parameters(), lr=0.5))


class Gpt(nn.Module):
    def __init__(self, features=8, heads=2):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(features), nn.MultiheadAttention(features, heads, batch_first=True)
        self.norm2 = nn.LayerNorm(features)
        self.up, self.down = nn.Linear(features, 4 * features), nn.Linear(4 * features, features)

    def forward(self, x):
        n = self.norm1(x)
        mask = torch.full((x.shape[1], x.shape[1]), float('-inf')).triu(1)
        x = x + self.attention(n, n, n, attn_mask=mask, need_weights=False)[0]
        return x + self.down(F.gelu(self.up(self.norm2(x))))


def gpt():
    model = filled(Gpt())
    x, y = numbers((2, 5, 8), 1), torch.arange(10).reshape(2, 5) % 8
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1)
    return train(lambda: F.cross_entropy(model(x).transpose(1, 2), y), optimizer)


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(12, 8)
        self.mean, self.log_variance = nn.Linear(8, 3), nn.Linear(8, 3)
        self.decoder = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 12))

    def forward(self, x, noise):
        h = F.relu(self.hidden(x))
        mean, log_variance = self.mean(h), self.log_variance(h)
        return self.decoder(mean + noise * torch.exp(0.5 * log_variance)), mean, log_variance


def vae():
    model = filled(Vae())
    x, noise = (numbers((4, 12), 1) > 0).float(), numbers((4, 3), 2)

    def loss():
        logits, mean, log_variance = model(x, noise)
        reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction='sum')
        divergence = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
        return (reconstruction + divergence) / x.shape[0]

    return train(loss, torch.optim.Adam(model.parameters(), lr=0.01))


def word2vec():
    center, context = nn.Embedding(30, 4, sparse=True), nn.Embedding(30, 4, sparse=True)
    center.weight.data, context.weight.data = numbers((30, 4), 1), numbers((30, 4), 2)
    words, neighbours = torch.arange(6) * 3, torch.arange(6) * 3 + 1
    negatives = (torch.arange(18) * 7 % 30).view(6, 3)

    def loss():
        v = center(words)
        positive = (v * context(neighbours)).sum(1)
        negative = torch.bmm(context(negatives), v.unsqueeze(2)).squeeze(2)
        return -(F.logsigmoid(positive) + F.logsigmoid(-negative).sum(1)).mean()

    return train(loss, torch.optim.SparseAdam([*center.parameters(), *context.parameters()], lr=0.05))


torch.set_num_threads(1)
models = {'lenet': lenet, 'resnet': resnet, 'lstm': lstm, 'gru': gru, 'gpt': gpt, 'vae': vae, 'word2vec': word2vec}
print(json.dumps({name: [round(loss, 6) for loss in run()] for name, run in models.items()}, indent=2))
