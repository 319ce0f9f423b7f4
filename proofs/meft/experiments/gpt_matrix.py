"""The built-in GPT's loss as a function of one of its matrices, which is what a theorem about f(W)
speaks of.
"""

from torch import Tensor
from torch.func import functional_call

from boundcheck.functions.loss import Loss
from boundcheck.functions.networks import corpora
from boundcheck.functions.networks.corpora import ALPHABET, text_of
from boundcheck.functions.networks.gpt import STEPS, GPTShape, pretrained, token_losses


def gpt_matrix(matrix: str, samples: int, smoothness: float, device: str) -> Loss:
    """The mean cross-entropy of the next characters of Python's library, when W is added to a
    matrix of the GPT.

    Its L is not known: `smoothness` is what the algorithm is told.
    """
    shape = GPTShape(vocabulary=len(ALPHABET))
    model = pretrained(shape, STEPS).double().to(device).requires_grad_(False)
    name = f"{matrix}.weight"
    before = model.get_parameter(name)
    train, _ = corpora.split(text_of("python-library"))
    windows = corpora.windows(train, shape.context + 1, samples, 0)

    def loss(W: Tensor, ids: Tensor) -> Tensor:
        return token_losses(functional_call(model, {name: before + W}, (ids[:, :-1],)), ids).mean(1)

    return Loss(
        loss,
        windows,
        shape=(before.shape[0], before.shape[1]),
        name=f"GPT's {matrix} on python-library",
        smoothness=smoothness,
        infimum=(0.0, "cross-entropy is nonnegative"),
        device=device,
    )
