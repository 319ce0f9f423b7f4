"""A network in bfloat16 with adapters in float32: what it computes is held within the error that is
said of it."""

import copy

import pytest
import torch

from boundcheck.functions.arithmetic import apart, seeded, square_norm
from boundcheck.functions.networks.adapt import sites_of
from boundcheck.functions.networks.corpora import Encoded
from boundcheck.functions.networks.function import NetworkFunction
from boundcheck.functions.networks.network import Network, widened
from boundcheck.functions.sgd import Draw

from .small import of_peft, transformer
from .trained import SGD, causal_rows, lora, recorded, recording, replaced, train

pytestmark = [of_peft, pytest.mark.full]


def lora_in(dtype, seed=0, **options):
    """LoRA or DoRA of peft in float32 on a small Llama in a coarser type, away from where B is
    0."""
    base = transformer("LlamaForCausalLM").to(dtype)
    model = lora(
        "LlamaForCausalLM", base, target_modules=["q_proj", "up_proj"], lora_alpha=8, **options
    )
    random = seeded(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=random) / 10)
    return model.eval()


def function_of(model):
    ids = torch.randint(3, 30, (6, 8), generator=seeded(1))
    network = Network(
        model, sites_of(model), Encoded("texts", {"input_ids": ids, "labels": ids}, "next token"), 3
    )
    return NetworkFunction("llama", network, 1)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("options", [{}, {"use_dora": True}], ids=["LoRA", "DoRA"])
def test_loss_gradient_and_smoothness_are_within_their_errors(dtype, options):
    """Of the same weights in float64, which those in bfloat16 are exactly; also along steps too
    short to be seen."""
    for seed in range(4):
        model = lora_in(dtype, seed, **options)
        coarse = function_of(model)
        fine = function_of(copy.deepcopy(model).double())
        assert {parameter.dtype for parameter in coarse.network.parameters} == {torch.float32}
        v = coarse.initial("lora", 1.0, seeded(0))
        one = coarse.network.look()
        other = fine.network.look()
        assert abs(one.loss - other.loss) <= coarse.noise.loss
        far = square_norm(apart(one.gradient, other.gradient)).sqrt().item()
        assert far <= coarse.noise.gradient
        # It is what bfloat16 loses, and not everything.
        unit = torch.finfo(dtype).eps / 2
        assert 0.9 * unit * other.loss <= coarse.noise.loss < 0.3 * one.loss
        for step in (1e-4, 1e-2, 0.3):
            size = step / square_norm(one.gradient).sqrt().item()
            w = coarse.retract(v, tuple(-size * part for part in one.gradient))
            law = Draw(2, torch.arange(6)[None], replaced=True)
            seen, true = (each.observe(v, w, law) for each in (coarse, fine))
            for kind in ("path_smoothness", "gradient_ratio"):
                off = (seen[kind] - true[kind]).abs()
                assert (off <= seen[f"{kind}_error"] * (1 + 1e-6)).all(), kind
            off = (seen["gradient_square_norm"] - true["gradient_square_norm"]).abs()
            assert (off <= seen["gradient_square_norm_error"]).all()


def test_widening_restores_every_bit_and_keeps_what_waits_for_gradients():
    model = lora_in(torch.bfloat16)
    trained = [x for x in model.parameters() if x.requires_grad]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    # Training in several processes hangs its hooks here.
    waiting = [x.expand_as(x).grad_fn.next_functions[0][0] for x in trained]
    with widened(model, torch.float64):
        assert {x.dtype for x in model.parameters()} == {torch.float64}
    after = model.state_dict()
    assert all(
        after[name].dtype == x.dtype and torch.equal(after[name], x) for name, x in before.items()
    )
    assert [x.expand_as(x).grad_fn.next_functions[0][0] for x in trained] == waiting


def test_without_memory_to_know_its_errors_nothing_is_known(monkeypatch):
    function = function_of(lora_in(torch.bfloat16))
    monkeypatch.setattr("boundcheck.functions.networks.function.available", lambda device: 1000)
    look = function.network.look()
    assert function.noise.loss >= 0.99 * look.loss
    assert function.noise.gradient >= 0.99 * square_norm(look.gradient).sqrt().item()


def test_a_run_on_a_base_in_bfloat16_is_not_called_violated(tmp_path):
    data = causal_rows([6] * 8)
    callback = recording(tmp_path, every=1, samples=100)
    options = SGD | {"learning_rate": 1e-4}
    train(tmp_path, callback, lora_in(torch.bfloat16), data, replaced(data), **options)
    result, trace = recorded(callback)
    assert result.verdict in {"inconclusive", "uninformative"}
    # Steps so short are lost in its errors, and said to be.
    for kind in ("path_smoothness", "gradient_ratio"):
        assert (trace[kind].values <= trace[f"{kind}_error"].values).all()
    assert str(result.gradient_ratio) == "lost in rounding"
    assert (
        result.rounding["loss"]
        >= 0.9 * torch.finfo(torch.bfloat16).eps / 2 * trace["loss"].values.min()
    )
