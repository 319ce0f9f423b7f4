"""The GPT: causal, the attention of torch, differentiable twice; and its pretraining: repeatable,
and cached."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from boundcheck.functions.arithmetic import seeded
from boundcheck.functions.networks import corpora
from boundcheck.functions.networks.corpora import ALPHABET
from boundcheck.functions.networks.gpt import GPT, Attention, GPTShape, pretrained, token_losses
from boundcheck.system.files import cache_folder
from tests.experiment.small import refused

from .small import SHAPE


def gpt(seed=0):
    return GPT(SHAPE, seeded(seed)).double()


def tokens(m=3, t=6, seed=1):
    return torch.randint(SHAPE.vocabulary, (m, t), generator=seeded(seed))


@pytest.mark.parametrize("place", range(6))
def test_a_token_changes_no_earlier_logit(place):
    ids = tokens()
    model = gpt()
    changed = ids.clone()
    changed[:, place] = (ids[:, place] + 1) % SHAPE.vocabulary
    differ = (model(ids) - model(changed)).abs().amax((0, 2))
    # To within rounding, which depends on the later tokens too where sums are reordered.
    assert (differ[:place] < 1e-14).all()
    assert (differ[place:] > 1e-6).all()


def test_attention_is_that_of_torch():
    attention = Attention(SHAPE).double()
    x = torch.randn(3, 6, 8, dtype=torch.float64, generator=seeded(2))
    # The rows of qkv: all heads' queries, then keys, then values.
    parts = [part.view(3, 6, 2, 4).transpose(1, 2) for part in attention.qkv(x).chunk(3, dim=-1)]
    mixed = functional.scaled_dot_product_attention(*parts, is_causal=True)
    torch.testing.assert_close(attention(x), attention.out(mixed.transpose(1, 2).flatten(2)))


def test_a_block_is_what_its_docstring_says():
    block = gpt().blocks[0]
    generator = seeded(2)
    h = torch.randn(3, 6, 8, dtype=torch.float64, generator=generator)
    # The two normalisations differ only after training.
    for weight in block.parameters():
        nn.init.normal_(weight, generator=generator)

    def normalised(x, norm):
        centred = x - x.mean(-1, keepdim=True)
        return (
            centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt() * norm.weight
            + norm.bias
        )

    middle = h + block.attention(normalised(h, block.attention_norm))
    inside = normalised(middle, block.mlp_norm) @ block.mlp.up.weight.T + block.mlp.up.bias
    gelu = inside * (1 + torch.erf(inside / math.sqrt(2))) / 2
    torch.testing.assert_close(block(h), middle + block.mlp.down(gelu))


def test_an_edit_acts_on_the_hidden_states_of_its_block():
    class Kept(nn.Module):
        def forward(self, h):
            self.h = h
            return -h

    model = gpt()
    ids = tokens()
    model.blocks[1].edit = kept = Kept()
    torch.testing.assert_close(model(ids), model.head(model.norm(-kept.h)))
    model.blocks[1].edit = nn.Identity()
    torch.testing.assert_close(model(ids), model.head(model.norm(kept.h)))


def test_initial_weights_have_the_sizes_that_are_said():
    model = GPT(GPTShape(vocabulary=97, width=64, layers=8), seeded(0))
    for name, weight in model.named_parameters():
        if weight.ndim == 1:
            assert (weight == (1 if name.endswith("norm.weight") else 0)).all()
            continue
        std = (
            0.02
            if name in {"tokens.weight", "positions.weight"}
            else 1 / math.sqrt(weight.shape[1])
        )
        if name.endswith(("attention.out.weight", "mlp.down.weight")):
            std /= 4
        assert weight.std().item() == pytest.approx(std, rel=0.05), name


SMALL = GPTShape(vocabulary=len(ALPHABET), width=16, heads=2, layers=1, context=16)
STEPS = 3


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BOUNDCHECK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def short_text(monkeypatch):
    text = corpora.english()[:50_000]
    monkeypatch.setattr(corpora, "english", lambda: text)
    return text


@pytest.fixture
def made(short_text):
    return pretrained(SMALL, STEPS)


@pytest.fixture
def threads():
    """Three threads, when all else is made, for as long as a test lasts."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield torch.get_num_threads()
    torch.set_num_threads(before)


def refuse(stage, done, total):
    raise AssertionError("trained again")


def same(one, other):
    second = other.state_dict()
    return all(torch.equal(x, second[name]) for name, x in one.state_dict().items())


def only_file(cache):
    (path,) = cache.glob("*.pt")
    return path


@pytest.mark.full
def test_it_learns_more_than_the_frequencies_of_letters(short_text):
    ticks = []
    shape = replace(SMALL, width=32)
    model = pretrained(shape, 200, tick=lambda *told: ticks.append(told))
    assert ticks == [("pretraining", step + 1, 200) for step in range(200)]
    training, held_out = corpora.split(short_text)
    ids = corpora.windows(held_out, 17, len(held_out) // 17, seed=0)
    counts = torch.bincount(ALPHABET.encode(training), minlength=len(ALPHABET)) + 1
    guesses = -(counts / counts.sum()).log()[ids[:, 1:]]
    assert token_losses(model(ids[:, :-1]), ids).mean() < guesses.mean() - 0.3
    assert all(
        weight.grad is None and weight.dtype == torch.float32 for weight in model.parameters()
    )
    # Every place of the context is trained, and by more than weight decay.
    moved = model.positions.weight - GPT(shape, seeded(0)).positions.weight
    assert (moved.abs().amax(1) > 1e-3).all()


def test_the_same_seed_gives_the_same_weights_and_the_generator_of_torch_is_left_alone(
    made, tmp_path, monkeypatch, threads
):
    """Threads change no bit of the weights."""
    monkeypatch.setenv("BOUNDCHECK_CACHE", str(tmp_path / "another"))
    torch.rand(3)
    before = torch.get_rng_state()
    for _ in range(2):
        # Trained, and then read.
        assert same(made, pretrained(SMALL, STEPS))
    assert not same(made, pretrained(SMALL, STEPS, seed=1))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.get_num_threads() == threads


def test_arguments_text_code_and_processor_have_files_of_their_own(
    made, short_text, cache, tmp_path, monkeypatch
):
    pretrained(SMALL, STEPS + 1)
    pretrained(SMALL, STEPS, seed=1)
    pretrained(replace(SMALL, heads=1), STEPS)
    monkeypatch.setattr(corpora, "english", lambda: short_text[:-1] + "#")
    pretrained(SMALL, STEPS)
    (tmp_path / "gpt.py").write_text("another architecture", encoding="utf-8")
    monkeypatch.setattr("boundcheck.functions.networks.gpt.__file__", str(tmp_path / "gpt.py"))
    pretrained(SMALL, STEPS)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "another")
    pretrained(SMALL, STEPS)
    assert len(list(cache.glob("*.pt"))) == 7


def garbled(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 64
    path.write_bytes(content)


def without_a_weight(path):
    content = torch.load(path)
    del content["weights"]["head.weight"]
    torch.save(content, path)


DAMAGES = {
    "emptied": lambda path: path.write_bytes(b""),
    "shortened": lambda path: path.write_bytes(path.read_bytes()[:-1000]),
    "garbled": garbled,
    "a text": lambda path: path.write_text("no weights at all", encoding="utf-8"),
    "without its name": lambda path: torch.save({"weights": torch.load(path)["weights"]}, path),
    "without a weight": without_a_weight,
    "a list": lambda path: torch.save([1, 2], path),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_broken_file_is_made_anew(made, cache, damage):
    DAMAGES[damage](only_file(cache))
    ticks = []
    assert same(made, pretrained(SMALL, STEPS, tick=lambda stage, done, total: ticks.append(done)))
    assert ticks == [1, 2, 3]
    assert same(made, pretrained(SMALL, STEPS, tick=refuse))
    only_file(cache)


def test_the_cache_is_where_the_environment_says(cache, monkeypatch):
    assert cache_folder() == cache
    for unset in ("", None):
        (
            monkeypatch.delenv("BOUNDCHECK_CACHE")
            if unset is None
            else monkeypatch.setenv("BOUNDCHECK_CACHE", unset)
        )
        assert cache_folder() == Path.home() / ".cache" / "boundcheck"


def test_a_cache_that_cannot_be_written_is_refused_before_training(
    short_text, tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("BOUNDCHECK_CACHE", str(tmp_path / "file"))
    assert refused(pretrained, SMALL, STEPS, tick=refuse).field == "BOUNDCHECK_CACHE"
