"""PyTorch's side of the benches: answers requests, one JSON object a line, with one JSON object a line.

{"make": kind, ...}              sets up a workload, answers {"id": ...}
{"id": ..., "turn": calls}       does its work so many times, answers {"seconds": ...}
{"id": ..., "result": true}      answers {"result": [...]}: what it has computed, for comparing
{"id": ..., "drop": true}        lets go of it
"""

import json
import sys
import time

import torch


def numbers(length, step, scale):
    """bench/data.ts has the same."""
    i = torch.arange(length, dtype=torch.int64) * step % 1024
    return ((i + 1).to(torch.float64) / 1024 * scale).to(torch.float32)


def weights(length, step, scale):
    return numbers(length, step, scale) - scale / 2


def sampled(tensor):
    flat = tensor.detach().reshape(-1)
    n = flat.numel()
    return flat[[k * 99991 % n for k in range(64)]].tolist()


class Adam:
    """One step of Adam over variables of these sizes, after clipping by the global norm where `clipNorm` is given."""

    def __init__(self, sizes, foreach, clipNorm=None):
        self.parameters = [weights(n, 7, 2**-6).requires_grad_() for n in sizes]
        for parameter in self.parameters:
            parameter.grad = numbers(parameter.numel(), 5, 1)
        self.optimizer = torch.optim.Adam(self.parameters, lr=1e-3, foreach=foreach)
        self.clip_norm = clipNorm

    def run(self):
        if self.clip_norm is not None:
            # It clips in place, so every call but the first finds the gradients clipped; that takes as long.
            torch.nn.utils.clip_grad_norm_(self.parameters, self.clip_norm)
        self.optimizer.step()

    def result(self):
        return sampled(self.parameters[-1])


class Mnist:
    """Forward, backward, clip by global norm, Adam: 784-256-10, batch 64."""

    def __init__(self):
        self.x = numbers(64 * 784, 11, 1).reshape(64, 784)
        self.y = torch.arange(64) % 10
        self.parameters = [
            weights(784 * 256, 7, 0.125).reshape(784, 256).requires_grad_(),
            torch.zeros(256, requires_grad=True),
            weights(256 * 10, 7, 0.25).reshape(256, 10).requires_grad_(),
            torch.zeros(10, requires_grad=True),
        ]
        self.optimizer = torch.optim.Adam(self.parameters, lr=1e-3)
        self.losses = []

    def run(self):
        w1, b1, w2, b2 = self.parameters
        logits = torch.addmm(b2, torch.relu(torch.addmm(b1, self.x, w1)), w2)
        loss = torch.nn.functional.cross_entropy(logits, self.y)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.losses = self.losses[-2:] + [loss.item()]

    def result(self):
        return self.losses


class Sparse:
    """SparseAdam on some rows of a table."""

    def __init__(self, rows, columns, touched):
        self.table = weights(rows * columns, 7, 2**-6).reshape(rows, columns).requires_grad_()
        indices = (torch.arange(touched) * 104729 % rows).reshape(1, touched)
        values = numbers(touched * columns, 5, 1).reshape(touched, columns)
        self.touched = indices[0]
        self.gradient = torch.sparse_coo_tensor(indices, values, (rows, columns)).coalesce()
        self.optimizer = torch.optim.SparseAdam([self.table], lr=1e-3)

    def run(self):
        self.table.grad = self.gradient
        self.optimizer.step()

    def result(self):
        return sampled(self.table.detach()[self.touched])


class LayerNorm:
    """Forward only."""

    def __init__(self, rows, columns):
        self.x = weights(rows * columns, 5, 4).reshape(rows, columns)
        self.gamma, self.beta = numbers(columns, 7, 2), numbers(columns, 3, 2)

    def run(self):
        self.y = torch.nn.functional.layer_norm(self.x, self.gamma.shape, self.gamma, self.beta, 1e-5)

    def result(self):
        return sampled(self.y)


class Descent:
    """Steps of gradient descent on the loss of a subclass."""

    def __init__(self, parameters, rate):
        self.optimizer = torch.optim.SGD(parameters, lr=rate)
        self.losses = []

    def run(self):
        loss = self.loss()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.losses = self.losses[-2:] + [loss.item()]

    def result(self):
        return self.losses


class Attention(Descent):
    """Causal, as one writes it in this version, which has no function for it."""

    def __init__(self, batch, heads, tokens, depth):
        shape, n = (batch, heads, tokens, depth), batch * heads * tokens * depth
        self.parts = [weights(n, step, 4).reshape(shape).requires_grad_() for step in (7, 5, 11)]
        self.factors = numbers(n, 3, 2**-10).reshape(shape)
        hidden = ~torch.ones(tokens, tokens, dtype=torch.bool).tril()
        self.mask = torch.zeros(tokens, tokens).masked_fill(hidden, -float("inf"))
        self.scale = depth**-0.5
        super().__init__(self.parts, 1)

    def loss(self):
        q, k, v = self.parts
        scores = q @ k.transpose(-1, -2) * self.scale + self.mask
        return (scores.softmax(-1) @ v * self.factors).sum()


class Recurrent(Descent):
    def __init__(self, layer, gates, batch, time, units):
        self.layer = layer(units, units, batch_first=True)
        self.x = numbers(batch * time * units, 11, 1).reshape(batch, time, units)
        with torch.no_grad():
            for kernel, step in ((self.layer.weight_ih_l0, 7), (self.layer.weight_hh_l0, 5)):
                kernel.copy_(weights(units * gates * units, step, 2**-3).reshape(units, gates * units).t())
            self.layer.bias_ih_l0.zero_()
            self.layer.bias_hh_l0.zero_()
            self.layer.bias_hh_l0.requires_grad_(gates == 3)  # an LSTM has one bias too many
        super().__init__(self.layer.parameters(), 0.1)

    def loss(self):
        return self.layer(self.x)[0].square().mean()


kinds = {
    "adam": Adam,
    "mnist": Mnist,
    "sparse": Sparse,
    "layerNorm": LayerNorm,
    "attention": Attention,
    "lstm": lambda **sizes: Recurrent(torch.nn.LSTM, 4, **sizes),
    "gru": lambda **sizes: Recurrent(torch.nn.GRU, 3, **sizes),
}
made = {}


def answer(request):
    if "make" in request:
        kind = kinds[request.pop("make")]
        torch.set_num_threads(request.pop("threads"))
        identity = len(made)
        made[identity] = kind(**request)
        return {"id": identity}
    workload = made[request["id"]]
    if "turn" in request:
        torch.set_num_threads(request["threads"])
        start = time.perf_counter()
        for _ in range(request["turn"]):
            workload.run()
        return {"seconds": time.perf_counter() - start}
    if "result" in request:
        return {"result": workload.result()}
    made[request["id"]] = None
    return {}


print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
