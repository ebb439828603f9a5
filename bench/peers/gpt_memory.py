"""PyTorch's side of bench/cases/gpt-memory.ts: python3 gpt_memory.py [threads]

Trains the GPT of torch_worker.py and prints by how many bytes the memory of this process grew at most; bench/gpt-memory.ts does
the same.
"""

import re
import sys

import torch
from torch_worker import Gpt


def status_of(field):
    with open("/proc/self/status") as file:
        return int(re.search(rf"^{field}:\s+(\d+) kB", file.read(), re.M)[1]) * 1024


torch.set_num_threads(int(sys.argv[1]))
# The threads and libraries that come with the first operation are no part of the step.
a = torch.ones(256, 256, requires_grad=True)
(a @ a).sum().backward()
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # the most so far is what there is now
before = status_of("VmRSS")
model = Gpt()
for _ in range(5):
    model.run()
print(status_of("VmHWM") - before)
