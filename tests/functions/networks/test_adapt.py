"""Adapters put into a network start where they should; and every matrix that is trained in one is
found, or refused."""

import copy
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from boundcheck.functions.adapters import ADAPTERS, FrozenA, FrozenB, Full, LoRA
from boundcheck.functions.arithmetic import seeded
from boundcheck.functions.networks.adapt import AdaptedLinear, adapt, matching, sites_of
from boundcheck.functions.networks.corpora import Encoded
from boundcheck.functions.networks.network import Network
from tests.experiment.small import refused
from tests.layers import full

from . import small
from .small import (
    KINDS,
    SHAPE,
    adapted,
    equal,
    flat,
    gpt,
    mean_loss,
    network_of,
    transformer,
    windows,
)
from .trained import CLASSIFIER, lora

pytestmark = small.of_peft
each_kind = pytest.mark.parametrize("kind", KINDS)


def ids_of(m=3):
    return torch.randint(SHAPE.vocabulary, (m, SHAPE.context), generator=seeded(8))


@each_kind
def test_every_adapter_starts_at_the_network_as_it_was_and_its_blocks_are_trained(kind):
    before = gpt()
    ids = ids_of()
    model = adapted(kind)
    torch.testing.assert_close(model(ids), before(ids), rtol=1e-12, atol=1e-13)
    sites = sites_of(model)
    targets, rank = KINDS[kind]
    assert [site.name for site in sites] == matching(gpt(), targets, "adapter.targets")
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    assert {id(x) for x in trained} == {id(x) for site in sites for x in site.parameters}
    for site in sites:
        assert site.adapter.kind == kind
        assert getattr(site.adapter, "scale", 1.5) == (1.0 if kind == "direft" else 1.5)
        assert [tuple(part.shape[1:]) for part in site.point()] == [
            block.shape for block in site.adapter.blocks
        ]
        assert rank is None or site.adapter.rank == rank
        assert site.affine == ADAPTERS[kind].edits_hidden
    # One step away it is another network.
    network = Network(model, sites, windows())
    g = network.batch_gradient(torch.arange(5))
    network.write(network.retract(network.point(), tuple(-0.1 * part for part in g)))
    assert (model(ids) - before(ids)).abs().max() > 1e-4


def test_starts_are_drawn_from_the_generator_and_of_the_size_that_is_asked_for():
    def start(seed, gain=1.0):
        model = gpt()
        adapt(model, "lora", ["up"], 2, 1.0, gain, seeded(seed))
        return [site.point()[0] for site in sites_of(model)]

    state = torch.get_rng_state()
    first = start(0)
    same = start(0)
    other = start(1)
    large = start(0, 3.0)
    assert torch.equal(torch.get_rng_state(), state)
    assert equal(first, same)
    assert not any(torch.equal(x, y) for x, y in zip(first, other, strict=True))
    assert not torch.equal(first[0], first[1])
    assert all(torch.allclose(3 * x, y) for x, y in zip(first, large, strict=True))
    assert flat(first).std().item() == pytest.approx(SHAPE.width**-0.5, rel=0.4)


def test_matching_finds_ends_of_paths_in_the_order_of_the_network():
    model = gpt()
    assert matching(model, ["up", "attention.out"], "x") == [
        "blocks.0.attention.out",
        "blocks.0.mlp.up",
        "blocks.1.attention.out",
        "blocks.1.mlp.up",
    ]
    assert matching(model, ["blocks.1.mlp.up"], "x") == ["blocks.1.mlp.up"]
    assert matching(model, ["head"], "x") == ["head"]
    # Names, not endings of names.
    for target in ("p", "lp.up", "blocks.0.mlp.up.weight", "query"):
        error = refused(matching, model, [target, "up"], "adapter.targets")
        assert error.field == "adapter.targets"
        assert error.value == target
        assert error.expected == "the end of a module's path, such as qkv, out, up, down, head"


def put(model, kind="lora", targets=("up",), rank=2, scale=1.0):
    adapt(model, kind, targets, rank, scale, 1.0, seeded(0))


def untyped():
    """A network that does not say how wide its hidden states are."""
    return nn.Sequential(nn.Linear(3, 3), nn.ReLU())


@pytest.mark.parametrize(
    "made, arguments, field, value",
    [
        (gpt, ("lora", ["nowhere"], 2), "adapter.targets", "nowhere"),
        (gpt, ("lora", ["up", "norm"], 2), "adapter.targets", "norm"),
        (gpt, ("lora", ["attention"], 2), "adapter.targets", "blocks.0.attention"),
        (gpt, ("lora", ["up"], 9), "adapter.rank", 9),
        (gpt, ("loreft", ["edit"], 9), "adapter.rank", 9),
        (gpt, ("lora", ["up"], 0), "adapter.rank", 0),
        (gpt, ("lora", ["up"], 2, -1.0), "adapter.scale", -1.0),
        (untyped, ("direft", ["1"], 2), "adapter.kind", "an edit of hidden states"),
        (untyped, ("lora", ["1"], 1), "adapter.targets", "1"),
        (partial(adapted, "lora"), ("lora", ["up"], 2), "adapter.targets", "blocks.1.mlp.up"),
    ],
)
def test_what_cannot_be_adapted_is_named(made, arguments, field, value):
    error = refused(put, made(), *arguments)
    assert error.field == field
    assert error.value == value


def trained(*names):
    model = adapted("lora") if names else gpt()
    for name in names:
        model.get_parameter(name).requires_grad_()
    return model


class Tied(nn.Module):
    """An embedding and a head that share one matrix, as GPT-2's do; or two linear layers."""

    def __init__(self, first):
        super().__init__()
        self.first = first
        self.head = nn.Linear(4, 4, bias=False)
        self.head.weight = first.weight


@pytest.mark.parametrize(
    "make, value",
    [
        (partial(trained, "norm.weight"), "norm.weight"),
        (partial(trained, "head.weight", "tokens.weight"), "tokens.weight"),
        (partial(trained, "blocks.0.mlp.up.bias"), "blocks.0.mlp.up.bias"),
        (trained, "GPT"),
        # What flows through its site is not all that the loss depends on a matrix by.
        (lambda: Tied(nn.Embedding(4, 4)), None),
        (lambda: Tied(nn.Linear(4, 4, bias=False)), None),
    ],
)
def test_what_is_trained_and_belongs_to_no_one_site_is_named(make, value):
    error = refused(sites_of, make())
    assert error.field == "model"
    assert value in (None, error.value)


def test_linear_layers_that_are_trained_are_sites_of_full_fine_tuning():
    model = gpt()
    for name in (
        "head.weight",
        "blocks.0.mlp.up.weight",
        "blocks.1.mlp.up.weight",
        "blocks.1.mlp.up.bias",
    ):
        model.get_parameter(name).requires_grad_()
    sites = sites_of(model)
    assert [site.name for site in sites] == ["blocks.0.mlp.up", "blocks.1.mlp.up", "head"]
    assert [site.affine for site in sites] == [False, True, False]
    assert all(isinstance(site.adapter, Full) for site in sites)
    assert [tuple(part.shape) for site in sites for part in site.point()] == [
        (1, 32, 8),
        (1, 32, 9),
        (1, 7, 8),
    ]
    network = Network(model, sites, windows(), 2)
    look = network.look()
    at = mean_loss(network)
    up = model.blocks[1].mlp.up
    expected = torch.autograd.grad(
        at, [model.blocks[0].mlp.up.weight, up.weight, up.bias, model.head.weight]
    )
    torch.testing.assert_close(look.gradient[1][0, :, :-1], expected[1], rtol=1e-10, atol=1e-13)
    torch.testing.assert_close(look.gradient[1][0, :, -1], expected[2], rtol=1e-10, atol=1e-13)
    torch.testing.assert_close(
        look.weight_gradients[1], look.gradient[1][0], rtol=1e-12, atol=1e-14
    )
    torch.testing.assert_close(look.gradient[2][0], expected[3], rtol=1e-10, atol=1e-13)
    v = tuple(part + 0.1 for part in network.point())
    network.write(v)
    torch.testing.assert_close(up.bias.detach(), v[1][0, :, -1])
    torch.testing.assert_close(up.weight.detach(), v[1][0, :, :-1])
    u = tuple(torch.randn(part.shape, generator=seeded(4), dtype=torch.float64) for part in v)
    # W is v here, and both products are one.
    pairs = zip(
        network.hessian_vector_product(u),
        network.weight_hessian_vector_product(tuple(x[0] for x in u)),
        strict=True,
    )
    for one, other in pairs:
        torch.testing.assert_close(one[0], other, rtol=1e-9, atol=1e-12)


@each_kind
def test_a_layer_follows_to_other_types_with_what_is_frozen(kind):
    model = network_of(kind).model
    ids = ids_of()
    double = model(ids)
    single = copy.deepcopy(model).to(torch.float32)
    layers = [module for module in single.modules() if isinstance(module, AdaptedLinear)]
    assert len(layers) == len(sites_of(single))
    for layer in layers:
        tensors = [x for x in vars(layer.adapter).values() if isinstance(x, Tensor)]
        assert {x.dtype for x in (*tensors, *layer.v, layer.bias) if x is not None} == {
            torch.float32
        }
    assert single(ids).dtype == torch.float32
    torch.testing.assert_close(single(ids).double(), double, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(single.double()(ids), double, rtol=1e-3, atol=1e-4)
    assert not any(
        isinstance(parameter, nn.Parameter)
        for site in sites_of(single)
        for parameter in site.point()
    )


@full
def test_gpt2_keeps_its_matrices_transposed():
    model = transformer("GPT2LMHeadModel").double().requires_grad_(False)
    ids = torch.randint(30, (4, 5), generator=seeded(1))
    task = Encoded("texts", {"input_ids": ids, "labels": ids}, "next token")
    before = model(ids).logits
    W0 = model.transformer.h[0].attn.c_attn.weight.clone()
    put(model, "lora", ["c_attn", "c_proj"])
    network = Network(model, sites_of(model), task, 3)
    assert torch.equal(network.sites[0].adapter.W0, W0.T)
    torch.testing.assert_close(model(ids).logits, before, rtol=1e-12, atol=1e-13)
    network.write(
        tuple(torch.randn(x.shape, generator=seeded(2), dtype=x.dtype) / 4 for x in network.point())
    )
    expected = torch.autograd.grad(mean_loss(network), network.parameters)
    torch.testing.assert_close(flat(network.look().gradient), flat(expected), rtol=1e-9, atol=1e-12)


def with_peft(name, targets=None, seed=5, **options):
    """A small model with LoRA of peft at a random point, in float64."""
    made = {
        "lora_alpha": 6,
        "lora_dropout": 0.25,
        "target_modules": targets,
        "modules_to_save": None,
    } | options
    model = lora(name, transformer(name), **made).double()
    generator = seeded(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.copy_(
                    torch.randn(parameter.shape, generator=generator, dtype=torch.float64) / 4
                )
    return model


def classified(n=5):
    ids = torch.randint(3, 30, (n, 6), generator=seeded(1))
    mask = torch.ones_like(ids)
    mask[::2, 4:] = 0
    return Encoded(
        "texts", {"input_ids": ids, "attention_mask": mask, "labels": torch.arange(n) % 2}, "class"
    )


def next_tokens(n=4):
    ids = torch.randint(3, 30, (n, 6), generator=seeded(1))
    return Encoded("texts", {"input_ids": ids, "labels": ids}, "next token")


def agrees_with_autograd(network):
    loss = mean_loss(network)
    expected = network.points(list(torch.autograd.grad(loss, network.parameters)))
    look = network.look()
    torch.testing.assert_close(flat(look.gradient), flat(expected), rtol=1e-9, atol=1e-12)
    squares = []
    for i in range(network.task.samples):
        alone = network.task.losses(network.model, torch.tensor([i]))[0]
        squares.append(flat(torch.autograd.grad(alone, network.parameters)).square().sum())
    torch.testing.assert_close(look.sample_squares, torch.stack(squares), rtol=1e-9, atol=1e-14)


@full
@pytest.mark.parametrize(
    "name, targets, options",
    [
        ("BertForSequenceClassification", ["query", "value"], {}),
        ("LlamaForCausalLM", ["q_proj", "down_proj"], {"use_rslora": True}),
        ("GPT2LMHeadModel", ["c_attn"], {"fan_in_fan_out": True}),
    ],
)
def test_lora_of_peft_is_found_with_its_scale(name, targets, options):
    model = with_peft(name, targets, **options).eval()
    sites = sites_of(model)
    assert len(sites) == 2 * len(targets)
    scale = 6 / 2**0.5 if "use_rslora" in options else 3.0
    for site in sites:
        assert isinstance(site.adapter, LoRA)
        assert site.adapter.rank == 2
        assert site.adapter.scale == pytest.approx(scale, rel=1e-15)
        layer = model.get_submodule(site.name)
        factors = (layer.lora_A.default.weight, layer.lora_B.default.weight)
        assert all(x is y for x, y in zip(site.parameters, factors, strict=True))
        assert not site.affine
        A, B = site.point()
        change = (site.adapter.weight((A, B)) - site.adapter.W0)[0]
        inside = layer.get_delta_weight("default")
        torch.testing.assert_close(
            change, inside.T if name.startswith("GPT2") else inside, rtol=1e-12, atol=1e-14
        )
    task = classified() if name.startswith("Bert") else next_tokens()
    agrees_with_autograd(Network(model, sites, task, 3))


@full
@pytest.mark.parametrize("frozen", ["lora_A", "lora_B"])
def test_lora_of_peft_with_one_factor_frozen(frozen):
    model = with_peft(CLASSIFIER, ["query"])
    for name, parameter in model.named_parameters():
        if frozen in name:
            parameter.requires_grad_(False)
    sites = sites_of(model)
    kind, other = (FrozenA, "lora_B") if frozen == "lora_A" else (FrozenB, "lora_A")
    for site in sites:
        assert isinstance(site.adapter, kind)
        assert site.adapter.scale == 3.0
        layer = model.get_submodule(site.name)
        assert site.parameters == [getattr(layer, other).default.weight]
        factor = site.adapter.A if frozen == "lora_A" else site.adapter.B
        assert torch.equal(factor, getattr(layer, frozen).default.weight)
    agrees_with_autograd(Network(model.eval(), sites, classified(), 2))


@full
@pytest.mark.parametrize("frozen", ["none", "lora_A", "lora_B"])
def test_lora_in_float32_on_a_model_in_bfloat16(frozen):
    """As peft makes it. What is summed has the accuracy of float32."""
    base = transformer("LlamaForCausalLM").to(torch.bfloat16)
    model = lora("LlamaForCausalLM", base, lora_alpha=8, target_modules=["q_proj", "v_proj"]).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                assert parameter.dtype == torch.float32
                parameter.copy_(torch.randn(parameter.shape, generator=seeded(len(name))) / 4)
                parameter.requires_grad_(frozen not in name)
    network = Network(model, sites_of(model), next_tokens(), 2)
    look = network.look()
    expected = network.batch_gradient(torch.arange(4))
    assert (flat(look.gradient) - flat(expected)).norm() <= 1e-5 * flat(expected).norm()
    W = tuple(torch.ones(site.adapter.W0.shape) for site in network.sites)
    assert flat(network.weight_hessian_vector_product(W)).isfinite().all()


@full
def test_a_head_that_is_saved_with_lora_is_a_site_with_its_bias():
    model = with_peft(CLASSIFIER, ["query"], modules_to_save=["classifier"])
    sites = sites_of(model)
    assert [type(site.adapter) for site in sites] == [LoRA, LoRA, Full]
    assert sites[-1].name.endswith("classifier.modules_to_save.default")
    assert sites[-1].affine
    assert sites[-1].adapter.W0.shape == (2, 17)
    # Without the memory of a matrix of zeros.
    assert sites[-1].adapter.W0.untyped_storage().nbytes() == 8
    network = Network(model.eval(), sites, classified(), 2)
    agrees_with_autograd(network)
    v = tuple(2 * part for part in network.point())
    network.write(v)
    head = model.get_submodule(sites[-1].name)
    assert torch.equal(torch.cat([head.weight, head.bias[:, None]], 1), v[-1][0])


def with_another(*active):
    """Two adapters, of rank 2 and 1, of which these are active."""
    from peft import LoraConfig

    model = with_peft(CLASSIFIER, ["query"])
    model.add_adapter("other", LoraConfig(r=1, target_modules=["query"]))
    model.base_model.set_adapter(list(active))
    return model


STRANGE = {
    "query": lambda: with_another("default", "other"),
    "q_proj": lambda: with_peft(
        "LlamaForCausalLM", ["q_proj"], task_type="CAUSAL_LM", alora_invocation_tokens=[2]
    ),
    "self.query": lambda: with_peft(CLASSIFIER, ["query"], lora_bias=True),
    "query.base_layer.bias": lambda: with_peft(CLASSIFIER, ["query"], bias="lora_only"),
    "lora_embedding_A.default": lambda: with_peft(CLASSIFIER, ["word_embeddings"]),
}


@full
@pytest.mark.parametrize("name", STRANGE)
def test_what_peft_trains_otherwise_is_named(name):
    error = refused(sites_of, STRANGE[name]())
    assert name in f"{error.field} {error.value}"


@full
def test_adapters_that_are_switched_off_or_not_active_are_none():
    for name, rank in (("default", 2), ("other", 1)):
        assert [site.adapter.rank for site in sites_of(with_another(name))] == [rank, rank]
    model = with_peft(CLASSIFIER, ["query"])
    with model.disable_adapter():
        assert refused(sites_of, model).field == "model"
    assert len(sites_of(model)) == 2
    model.merge_adapter()
    assert refused(sites_of, model).field == "model"


@full
@pytest.mark.parametrize("kind", ["direft", "loreft"])
@pytest.mark.parametrize(
    "target", ["encoder.layer.1", "attention.self"], ids=["a tensor", "a tuple"]
)
def test_edits_change_what_a_layer_gives(kind, target):
    task = classified()
    model = transformer("BertForSequenceClassification").double().requires_grad_(False)
    before = model(task._inputs["input_ids"]).logits
    put(model, kind, [target])
    torch.testing.assert_close(
        model(task._inputs["input_ids"]).logits, before, rtol=1e-12, atol=1e-13
    )
    network = Network(model, sites_of(model), task, 2)
    assert all(site.name.endswith(f"{target}.edit") for site in network.sites)
    assert [site.adapter.W0.shape for site in network.sites] == [(16, 17)] * len(network.sites)
    v = tuple(
        part
        for site in network.sites
        for part in site.adapter.draw({"a": 0.6, "b": 0.7, "nu": 0.5}, 1, seeded(6))
    )
    network.write(v)
    seen = []
    layer = model.get_submodule(network.sites[-1].name.removesuffix(".edit"))
    inner = layer.edit.register_forward_hook(
        lambda _, given, output: seen.append((given[0], output))
    )
    outer = layer.register_forward_hook(lambda *all: seen.append(all[-1]))
    model(task._inputs["input_ids"])
    inner.remove()
    outer.remove()
    (h, edited), given = seen
    assert isinstance(given, tuple) == (target == "attention.self")
    assert given[0] is edited if isinstance(given, tuple) else given is edited
    W = network.sites[-1].adapter.weight(network.sites[-1].point())[0].detach()
    whole = torch.cat([h, torch.ones_like(h[..., :1])], -1) @ W.T
    torch.testing.assert_close(edited, whole, rtol=1e-12, atol=1e-13)
    assert (edited - h).abs().max() > 1e-3
    loss = mean_loss(network)
    left = iter(torch.autograd.grad(loss, network.parameters))
    expected = network.tangent(network.point(), tuple(next(left).unsqueeze(0) for _ in v))
    torch.testing.assert_close(flat(network.look().gradient), flat(expected), rtol=1e-9, atol=1e-12)


@full
def test_a_copy_of_an_edited_network_has_edits_of_its_own():
    model = transformer("BertForSequenceClassification").double().requires_grad_(False)
    put(model, "direft", ["encoder.layer.0"])
    other = copy.deepcopy(model)
    ids = classified()._inputs["input_ids"]
    before = model(ids).logits
    with torch.no_grad():
        for parameter in sites_of(other)[0].parameters:
            parameter.fill_(0.3)
    assert torch.equal(model(ids).logits, before)
    assert not torch.allclose(other(ids).logits, before)
