"""LoReFT of pyreft, as its source has it: found by its parts and by what it computes, and no other
of its kind."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import orthogonal, weight_norm

from boundcheck.functions.adapters import LoReFTTrained
from boundcheck.functions.arithmetic import seeded
from boundcheck.functions.networks.adapt import AdaptedLinear, sites_of
from boundcheck.functions.networks.network import Network
from boundcheck.language.catalogue import catalogue
from tests.experiment.small import refused
from tests.layers import full

from .small import SHAPE, flat, gpt, of_peft, transformer, windows
from .trained import data_of, recording, train

pytestmark = of_peft
D = SHAPE.width
RANK = 2
BLOCKS = range(SHAPE.layers)


class Rotate(nn.Module):
    """x -> x Rᵀ, with Rᵀ of shape (d, r)."""

    def __init__(self, d, r):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(d, r))
        nn.init.orthogonal_(self.weight)

    def forward(self, x):
        return x.to(self.weight.dtype) @ self.weight


class Loreft(nn.Module):
    """h + Rᵀ(U h + b - R h)."""

    def __init__(self, d=D, r=RANK, act=None):
        super().__init__()
        self.rotate_layer = orthogonal(Rotate(d, r))
        self.learned_source = nn.Linear(d, r)
        self.dropout = nn.Dropout(0.5)
        self.act_fn = act or nn.Identity()

    def forward(self, base, source=None, subspaces=None):
        rotated = self.rotate_layer(base)
        edit = self.act_fn(self.learned_source(base)) - rotated
        return self.dropout((base + edit @ self.rotate_layer.weight.T).to(base.dtype))


class Direft(Loreft):
    """h + Rᵀ(U h + b): the same parts."""

    def forward(self, base, source=None, subspaces=None):
        return self.dropout(
            base + self.act_fn(self.learned_source(base)) @ self.rotate_layer.weight.T
        )


class Bare(Loreft):
    """With an R that training takes off the manifold."""

    def __init__(self):
        super().__init__()
        self.rotate_layer = Rotate(D, RANK)


class Scaled(Loreft):
    """With an R whose row is of length 1 at the start alone."""

    def __init__(self):
        super().__init__(r=1)
        self.rotate_layer = weight_norm(Rotate(D, 1), dim=1)


class Constant(Loreft):
    """A learned vector in place of U h + b."""

    def __init__(self):
        super().__init__()
        self.learned_source = nn.Parameter(torch.ones(RANK))


class Noreft(nn.Module):
    """h + Pᵀ(U h + b - P h): a linear layer whose weight is used outside of it too."""

    def __init__(self):
        super().__init__()
        self.proj_layer = nn.Linear(D, RANK, bias=False)
        self.learned_source = nn.Linear(D, RANK)

    def forward(self, base):
        return base + (self.learned_source(base) - self.proj_layer(base)) @ self.proj_layer.weight


def edited(make=Loreft, dtype=torch.float64):
    """The GPT with an edit after each block."""
    model = gpt()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for block in BLOCKS:
            model.blocks[block].edit = make()
    return model.to(dtype)


def of_pyreft(dtype=torch.float64):
    model = edited(dtype=dtype)
    return Network(model, sites_of(model), windows(), 2)


def test_it_is_found_with_its_constant():
    model = edited()
    sites = sites_of(model)
    assert [site.name for site in sites] == [f"blocks.{block}.edit" for block in BLOCKS]
    for site in sites:
        assert isinstance(site.adapter, LoReFTTrained)
        assert site.adapter.claims == ("meft.loreft_trained",)
        R, U = site.point()
        layer = site.module
        np.testing.assert_array_equal(R[0].detach(), layer.rotate_layer.weight.detach().T)
        np.testing.assert_array_equal(U[0, :, :-1].detach(), layer.learned_source.weight.detach())
        np.testing.assert_array_equal(U[0, :, -1].detach(), layer.learned_source.bias.detach())
        x = torch.randn(3, 5, D, generator=seeded(0), dtype=torch.float64)
        whole = torch.eye(D, D + 1, dtype=torch.float64) + site.adapter.weight((R, U))[0]
        with torch.no_grad():
            layer.eval()
            torch.testing.assert_close(layer(x), x @ whole[:, :-1].T + whole[:, -1])


def ours(network):
    """The same network with edits of our own at the same point."""
    model = copy.deepcopy(network.model)
    for site in network.sites:
        W0 = torch.eye(D, D + 1, dtype=torch.float64)
        v = [part[0].detach().clone() for part in site.point()]
        block = model.get_submodule(site.name.removesuffix(".edit"))
        block.edit = AdaptedLinear(LoReFTTrained(W0, RANK), v, affine=True)
    return Network(model, sites_of(model), network.task, network.chunk)


def test_everything_is_that_of_our_edits_at_the_same_point():
    theirs = of_pyreft()
    mine = ours(theirs)
    for other in (theirs, mine):
        assert not other.model.training or other.model.train()
    look = theirs.look()
    wanted = mine.look()
    torch.testing.assert_close(look.losses, wanted.losses)
    torch.testing.assert_close(flat(look.gradient), flat(wanted.gradient))
    torch.testing.assert_close(look.sample_squares, wanted.sample_squares)
    torch.testing.assert_close(flat(look.weight_gradients), flat(wanted.weight_gradients))
    indices = torch.tensor([3, 0, 3])
    torch.testing.assert_close(
        flat(theirs.batch_gradient(indices)), flat(mine.batch_gradient(indices))
    )
    u = tuple(
        torch.randn(part.shape, generator=seeded(1), dtype=torch.float64) for part in theirs.point()
    )
    products = [flat(each.hessian_vector_product(u)) for each in (theirs, mine)]
    torch.testing.assert_close(*products)
    v = theirs.point()
    after = theirs.retract(v, tuple(-0.05 * part for part in look.gradient))
    for each in (theirs, mine):
        each.write(after)
        torch.testing.assert_close(flat(each.point()), flat(after))
    torch.testing.assert_close(theirs.losses(), mine.losses())


def same(x, y):
    return all(torch.equal(x[name], y[name]) for name in x)


def partly(name):
    def make():
        layer = Loreft()
        layer.get_parameter(name).requires_grad_(False)
        return layer

    return make


def unseen():
    """With a function that does not show at the start, where it is asked about 0 alone."""
    layer = Loreft(act=nn.ReLU())
    nn.init.zeros_(layer.learned_source.weight)
    nn.init.zeros_(layer.learned_source.bias)
    return layer


STRANGE = {
    "DiReFT": Direft,
    "R not orthogonal": Bare,
    "R of length g": Scaled,
    "a constant": Constant,
    "NoReFT": Noreft,
    "not linear": lambda: Loreft(act=nn.ReLU()),
    "not linear, unseen": unseen,
    "b frozen": partly("learned_source.bias"),
    "R frozen": partly("rotate_layer.parametrizations.weight.original"),
}


@pytest.mark.parametrize("make", STRANGE.values(), ids=STRANGE)
def test_what_is_something_else_is_refused_in_one_line(make):
    assert refused(sites_of, edited(make)).field == "blocks.0.edit"


class Outer(nn.Module):
    """A model around another that names its parameters in its own way, as pyvene's do."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    # Its signature is pyvene's, and not torch's.
    def named_parameters(self, recurse=True):
        return list(self.model.named_parameters())


def test_one_that_is_frozen_is_no_site_and_a_model_may_name_its_parameters_in_its_own_way():
    model = edited()
    assert [site.name for site in sites_of(Outer(model))] == [
        f"model.blocks.{block}.edit" for block in BLOCKS
    ]
    model.blocks[0].edit.requires_grad_(False)
    assert [site.name for site in sites_of(model)] == ["blocks.1.edit"]


def with_hooks():
    """A small BERT with an edit after each layer, put there by hooks."""
    model = transformer("BertForSequenceClassification").requires_grad_(False)

    def change(layer, _, output):
        edit = layer.get_submodule("edit")
        return (edit(output[0]), *output[1:]) if isinstance(output, tuple) else edit(output)

    with torch.random.fork_rng():
        torch.manual_seed(0)
        for layer in model.bert.encoder.layer:
            layer.add_module("edit", Loreft(model.config.hidden_size))
            layer.register_forward_hook(change)
    return model.double()


@full
def test_the_callback_records_it_and_the_same_parameters_come_out_to_the_last_bit(tmp_path):
    alone = train(tmp_path, None, with_hooks(), data_of())
    callback = recording(tmp_path)
    watched = train(tmp_path, callback, with_hooks(), data_of())
    start, one, other = (model.state_dict() for model in (with_hooks(), alone.model, watched.model))
    assert same(one, other)
    assert not same(start, one)
    assert callback.result is not None
    assert callback.result.spec["adapter"]["kind"] == "loreft-trained"
    found = callback.result.estimates
    assert found is not None
    assert all(set(radii) == {"nu"} for radii in found.radii.values())
    (layers,) = (each.value for each in callback.result.theorems if each.way == "layers")
    largest = max(
        catalogue["meft.loreft_trained"].bound(L=found.L, G=found.G[name], nu=radii["nu"])
        for name, radii in found.radii.items()
    )
    assert layers == pytest.approx(largest, rel=1e-9)


@full
def test_that_of_pyreft_itself_is_found():
    pyreft = pytest.importorskip("pyreft")

    def make():
        return pyreft.LoreftIntervention(embed_dim=D, low_rank_dimension=RANK, dtype=torch.float64)

    sites = sites_of(edited(make))
    assert [type(site.adapter) for site in sites] == [LoReFTTrained] * len(BLOCKS)
