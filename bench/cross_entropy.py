"""PyTorch's cross-entropy, loss and gradient, on one thread: python3 cross_entropy.py BATCH N DTYPE SECONDS.

Prints the median of the calls in milliseconds.
"""

import os
import statistics
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"

import torch  # noqa: E402

batch, n, dtype, seconds = int(sys.argv[1]), int(sys.argv[2]), getattr(torch, sys.argv[3]), float(sys.argv[4])
torch.set_num_threads(1)
torch.manual_seed(1)
scores, labels = torch.randn(batch, n, dtype=dtype).requires_grad_(), torch.randint(n, (batch,))
loss = torch.nn.CrossEntropyLoss()
times = []
end = time.perf_counter() + seconds
while time.perf_counter() < end or len(times) < 10:
    scores.grad = None
    began = time.perf_counter()
    loss(scores, labels).backward()
    times.append(1000 * (time.perf_counter() - began))
print(statistics.median(times[len(times) // 5 :]))
