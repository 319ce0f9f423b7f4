"""A plain PyTorch loss over the rows of one's own CSV file, named in a spec by its import path."""

import torch
from torch import Tensor

from boundcheck import Loss


def square(W: Tensor, X: Tensor, y: Tensor) -> Tensor:
    return (X @ W.mT - y[:, None]).square().sum(1) / 2


def absolute(W: Tensor, X: Tensor, y: Tensor) -> Tensor:
    return torch.nn.functional.smooth_l1_loss((X @ W.mT).squeeze(1), y)


def prices(data: str = "prices.csv", k: int = 2) -> Loss:
    return Loss.from_csv(square, data, "price", shape=(1, k), name="prices")
