"""DoRA of peft in a network: W(v) is what peft computes, and the gradient is that of F, which
peft's is not."""

import copy

import pytest
import torch
from torch import nn
from torch.autograd.functional import hvp
from torch.func import functional_call

from boundcheck.functions.adapters import DoRA
from boundcheck.functions.arithmetic import seeded
from boundcheck.functions.networks.adapt import sites_of
from boundcheck.functions.networks.corpora import Encoded
from boundcheck.functions.networks.network import Network
from tests.experiment.small import refused

from .small import equal, flat, of_peft, random_direction, transformer
from .trained import SGD, audit_named, data_of, lora, recorded, recording, replaced, train

pytestmark = [of_peft, pytest.mark.full]

PLACES = {
    "BertForSequenceClassification": ["query", "output.dense"],
    "GPT2LMHeadModel": ["c_attn", "c_fc"],
}


def with_dora(name):
    """A small model in float64 with DoRA of peft, away from its start, at which B is 0."""
    made = {
        "lora_alpha": 3,
        "use_dora": True,
        "target_modules": PLACES[name],
        "modules_to_save": None,
    }
    model = lora(name, transformer(name), **made).double().eval()
    random = seeded(5)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(
                    0.3 * torch.randn(parameter.shape, generator=random, dtype=parameter.dtype)
                )
    return model


def network_on(model, name):
    ids = torch.randint(3, 30, (5, 6), generator=seeded(1))
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if name.startswith("GPT2"):
        return Network(
            model, sites_of(model), Encoded("texts", batch | {"labels": ids}, "next token"), 2
        )
    return Network(
        model,
        sites_of(model),
        Encoded("texts", batch | {"labels": torch.arange(5) % 2}, "class"),
        2,
    )


class Plain(nn.Module):
    """The formula of the paper, by hand: rows of W0 + s B A over their norms, times m; nothing is
    left out."""

    def __init__(self, layer):
        super().__init__()
        base = layer.get_base_layer()
        self.W0 = base.weight.detach() if isinstance(base, nn.Linear) else base.weight.detach().T
        self.bias = base.bias.detach()
        self.scale = layer.scaling["default"]
        self.A = layer.lora_A["default"].weight
        self.B = layer.lora_B["default"].weight
        self.m = layer.lora_magnitude_vector["default"].weight

    def forward(self, x):
        V = self.W0 + self.scale * self.B @ self.A
        W = torch.stack(
            [m * row / row.square().sum().sqrt() for m, row in zip(self.m, V, strict=True)]
        )
        return x @ W.T + self.bias


def plain(model, network):
    """A copy with `Plain` in place of each layer of peft, and the names of the trained parameters,
    site by site."""
    made = copy.deepcopy(model)
    names = []
    for site in network.sites:
        parent, _, last = site.name.rpartition(".")
        setattr(made.get_submodule(parent), last, Plain(made.get_submodule(site.name)))
        names += [f"{site.name}.{letter}" for letter in "ABm"]
    return made, names


@pytest.mark.parametrize("name", PLACES)
def test_it_is_the_formula_of_the_paper_by_rows(name):
    model = with_dora(name)
    network = network_on(model, name)
    assert {type(site.adapter) for site in network.sites} == {DoRA}
    assert all(site.adapter.by_rows for site in network.sites)
    twin, names = plain(model, network)
    table = dict(twin.named_parameters())
    values = [table[each] for each in names]
    losses = network.task.losses(twin, torch.arange(5))
    assert torch.allclose(network.losses(), losses, rtol=1e-12)
    wanted = torch.autograd.grad(losses.mean(), values)
    look = network.look()
    assert torch.allclose(flat(look.gradient), flat(wanted), rtol=1e-9, atol=1e-12)
    assert torch.allclose(
        flat(network.batch_gradient(torch.arange(5))), flat(wanted), rtol=1e-9, atol=1e-12
    )
    alone = [
        flat(torch.autograd.grad(network.task.losses(twin, torch.tensor([i])).sum(), values))
        for i in range(5)
    ]
    assert torch.allclose(look.sample_squares, torch.stack(alone).square().sum(1), rtol=1e-9)
    # What peft goes along is something else, also for the first of the layers.
    trained = [parameter for site in network.sites for parameter in site.parameters]
    own = torch.autograd.grad(network.task.losses(model, torch.arange(5)).mean(), trained)
    assert not torch.allclose(flat(own), flat(wanted), rtol=1e-3)

    def at(*point):
        class Loss(nn.Module):
            def __init__(self):
                super().__init__()
                self.model = twin

            def forward(self):
                return network.task.losses(self.model, torch.arange(5)).mean()

        return functional_call(
            Loss(), {f"model.{each}": x for each, x in zip(names, point, strict=True)}, ()
        )

    u = random_direction(network)
    shaped = tuple(part.reshape(value.shape) for part, value in zip(u, values, strict=True))
    product = hvp(at, tuple(value.detach() for value in values), shaped)[1]
    assert torch.allclose(
        flat(network.hessian_vector_product(u)), flat(product), rtol=1e-8, atol=1e-10
    )


def test_a_look_changes_nothing_and_a_point_is_written_and_read_back():
    model = with_dora("GPT2LMHeadModel")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    network = network_on(model, "GPT2LMHeadModel")
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    v = tuple(
        torch.randn(part.shape, generator=seeded(9), dtype=torch.float64)
        for part in network.point()
    )
    network.write(v)
    assert equal(network.point(), v)


def test_columns_and_rows_are_the_same_of_a_transposed_matrix():
    random = seeded(0)
    W0, M = (torch.randn(3, 5, generator=random, dtype=torch.float64) for _ in range(2))
    rows = DoRA(W0, 2, 1.5, by_rows=True)
    columns = DoRA(W0.T, 2, 1.5)
    A, B, m = (
        torch.randn(1, *block.shape, generator=random, dtype=torch.float64) for block in rows.blocks
    )
    assert torch.allclose(rows.weight((A, B, m)), columns.weight((B.mT, A.mT, m.mT)).mT)
    one = rows.pull_back((A, B, m), M[None])
    other = columns.pull_back((B.mT, A.mT, m.mT), M.T[None])
    assert all(
        torch.allclose(x, y.mT) for x, y in zip(one, (other[1], other[0], other[2]), strict=True)
    )
    radii = {"a": 0.1, "b": 0.2, "mu": 2.0}
    assert rows.constants(radii)["w_0"] == columns.constants(radii)["w_0"]
    assert rows.reach(radii) == columns.reach(radii)
    assert (
        refused(lambda: DoRA(torch.zeros_like(W0), 2, by_rows=True)).value == "with a row of zeros"
    )


@pytest.mark.parametrize("frozen", ["lora_A", "lora_B", "lora_magnitude_vector"])
def test_one_of_which_something_is_frozen_is_refused(frozen):
    model = with_dora("BertForSequenceClassification")
    for name, parameter in model.named_parameters():
        if frozen in name:
            parameter.requires_grad_(False)
    refused(sites_of, model)


def test_one_that_computes_something_else_is_refused():
    model = with_dora("BertForSequenceClassification")
    layer = model.get_submodule(network_on(model, "BertForSequenceClassification").sites[0].name)
    layer.register_forward_hook(
        lambda module, given, output: output + 0.01 * given[0].sum(-1, keepdim=True)
    )
    refused(sites_of, model)


def test_a_trainer_with_it_is_recorded_and_said_to_step_along_no_gradient(tmp_path):
    model = lora(use_dora=True, target_modules=["query"], modules_to_save=None)
    data = data_of()
    callback = recording(tmp_path)
    train(tmp_path, callback, model, data, replaced(data), **SGD)
    result, _ = recorded(callback)
    assert result.spec["adapter"]["kind"] == "dora"
    gradients = audit_named(result, "meft.unbiased")
    assert gradients.status == "failed"
    assert result.verdict == "hypothesis-failed"
