"""The GPT: causal, the attention of torch, differentiable twice, and drawn from its own generator alone."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from boundcheck.errors import InputError
from boundcheck.functions.networks.gpt import GPT, Attention, GPTShape, token_losses

SHAPE = GPTShape(vocabulary=7, width=8, heads=2, layers=2, context=6)
TARGETS = ("attention.qkv", "attention.out", "mlp.up", "mlp.down")


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def gpt(seed: int = 0) -> GPT:
    return GPT(SHAPE, seeded(seed)).double()


def tokens(m: int = 3, t: int = 6, seed: int = 1) -> Tensor:
    return torch.randint(SHAPE.vocabulary, (m, t), generator=seeded(seed))


def test_logits_have_their_shape_and_the_dtype_of_the_weights() -> None:
    single, double = GPT(SHAPE, seeded(0)), gpt()
    assert single(tokens()).dtype == torch.float32
    assert double(tokens()).dtype == torch.float64
    assert double(tokens(t=4)).shape == (3, 4, 7)
    torch.testing.assert_close(single(tokens()).double(), double(tokens()), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("place", range(6))
def test_a_token_changes_no_earlier_logit(place: int) -> None:
    ids, model = tokens(), gpt()
    changed = ids.clone()
    changed[:, place] = (ids[:, place] + 1) % SHAPE.vocabulary
    differ = (model(ids) - model(changed)).abs().amax((0, 2))
    # To within rounding, which depends on the later tokens too where sums are reordered.
    assert (differ[:place] < 1e-14).all()
    assert (differ[place:] > 1e-6).all()


def test_attention_is_that_of_torch() -> None:
    attention = Attention(SHAPE).double()
    x = torch.randn(3, 6, 8, dtype=torch.float64, generator=seeded(2))
    # The rows of qkv: all heads' queries, then keys, then values.
    parts = [part.view(3, 6, 2, 4).transpose(1, 2) for part in attention.qkv(x).chunk(3, dim=-1)]
    mixed = functional.scaled_dot_product_attention(*parts, is_causal=True)
    torch.testing.assert_close(attention(x), attention.out(mixed.transpose(1, 2).flatten(2)))


def test_a_block_is_what_its_docstring_says() -> None:
    block, generator = gpt().blocks[0], seeded(2)
    h = torch.randn(3, 6, 8, dtype=torch.float64, generator=generator)
    # The two normalisations differ only after training.
    for weight in block.parameters():
        nn.init.normal_(weight, generator=generator)

    def normalised(x: Tensor, norm: nn.LayerNorm) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        return centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt() * norm.weight + norm.bias

    middle = h + block.attention(normalised(h, block.attention_norm))
    inside = normalised(middle, block.mlp_norm) @ block.mlp.up.weight.T + block.mlp.up.bias
    gelu = inside * (1 + torch.erf(inside / math.sqrt(2))) / 2
    torch.testing.assert_close(block(h), middle + block.mlp.down(gelu))


def test_an_edit_acts_on_the_hidden_states_of_its_block() -> None:
    class Kept(nn.Module):
        def forward(self, h: Tensor) -> Tensor:
            self.h = h
            return -h

    model, ids = gpt(), tokens()
    model.blocks[1].edit = kept = Kept()
    torch.testing.assert_close(model(ids), model.head(model.norm(-kept.h)))
    model.blocks[1].edit = nn.Identity()
    torch.testing.assert_close(model(ids), model.head(model.norm(kept.h)))


def test_the_targets_are_all_linear_maps_but_the_head() -> None:
    linear = {name for name, module in gpt().named_modules() if type(module) is nn.Linear}
    assert linear == {f"blocks.{n}.{target}" for n in range(2) for target in TARGETS} | {"head"}


def test_token_losses_are_those_of_a_loop() -> None:
    ids, logits = tokens(), gpt()(tokens())
    losses = token_losses(logits, ids)
    assert losses.shape == (3, 5)
    for i in range(3):
        for j in range(5):
            probabilities = logits[i, j].exp() / logits[i, j].exp().sum()
            torch.testing.assert_close(losses[i, j], -probabilities[ids[i, j + 1]].log())
    # The logits of the last token say nothing about these.
    assert torch.equal(token_losses(logits[:, :-1], ids), losses)


def loss_along(model: GPT, names: list[str]) -> tuple[Callable[[Tensor], Tensor], Tensor, Tensor]:
    """The loss as a function of the named parameters in one vector, their values, and a direction of norm 1."""
    ids, table = tokens(), dict(model.named_parameters())
    sizes = [table[name].numel() for name in names]

    def loss(vector: Tensor) -> Tensor:
        parts = zip(names, vector.split(sizes), strict=True)
        weights = table | {name: part.view_as(table[name]) for name, part in parts}
        return token_losses(functional_call(model, weights, (ids,)), ids).mean()

    direction = functional.normalize(torch.randn(sum(sizes), dtype=torch.float64, generator=seeded(3)), dim=0)
    values = torch.cat([table[name].detach().flatten() for name in names])
    return loss, values.requires_grad_(), direction


def check_derivatives(loss: Callable[[Tensor], Tensor], at: Tensor, u: Tensor) -> None:
    """First and second derivatives along u against central differences of the loss, and of its gradient."""
    step = 1e-5

    def gradient(x: Tensor) -> Tensor:
        return torch.autograd.grad(loss(x), x, create_graph=True)[0]

    slope = gradient(at) @ u
    torch.testing.assert_close(slope, (loss(at + step * u) - loss(at - step * u)) / (2 * step), rtol=1e-6, atol=1e-9)
    product = torch.autograd.grad(slope, at)[0]
    difference = (gradient(at + step * u) - gradient(at - step * u)) / (2 * step)
    torch.testing.assert_close(product, difference, rtol=1e-5, atol=1e-8)
    # Not a comparison of zeros.
    assert product.norm() > 1e-4


def test_it_is_differentiable_twice_in_all_weights() -> None:
    model = gpt()
    check_derivatives(*loss_along(model, [name for name, _ in model.named_parameters()]))


def test_the_same_seed_gives_the_same_weights() -> None:
    first, same, other = gpt(4).state_dict(), gpt(4).state_dict(), gpt(5).state_dict()
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not torch.equal(first["tokens.weight"], other["tokens.weight"])


def test_the_generator_of_torch_is_left_alone() -> None:
    before = torch.get_rng_state()
    GPT(SHAPE, seeded(0))
    assert torch.equal(before, torch.get_rng_state())


def test_initial_weights_have_the_sizes_that_are_said() -> None:
    model = GPT(GPTShape(vocabulary=97, width=64, layers=8), seeded(0))
    for name, weight in model.named_parameters():
        if weight.ndim == 1:
            assert (weight == (1 if name.endswith("norm.weight") else 0)).all()
            continue
        std = 0.02 if name in {"tokens.weight", "positions.weight"} else 1 / math.sqrt(weight.shape[1])
        if name.endswith(("attention.out.weight", "mlp.down.weight")):
            std /= 4
        assert weight.std().item() == pytest.approx(std, rel=0.05), name


@pytest.mark.parametrize("field", ["vocabulary", "width", "heads", "layers", "context"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "8"])
def test_sizes_are_positive_integers(field: str, value: object) -> None:
    sizes: dict[str, object] = {"vocabulary": 7, field: value}
    with pytest.raises(InputError, match=f"{field} = {value}: expected a positive integer"):
        GPTShape(**sizes)


def test_heads_divide_the_width() -> None:
    with pytest.raises(InputError, match="heads = 3: expected a divisor of the width, 64"):
        GPTShape(vocabulary=7, heads=3)


def test_no_more_tokens_than_the_context() -> None:
    with pytest.raises(InputError, match="ids = 7 tokens: expected at most 6"):
        gpt()(tokens(t=7))
