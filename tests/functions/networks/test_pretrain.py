"""Pretraining: that it learns, is repeatable, is cached, and survives a broken cache."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from boundcheck.errors import InputError
from boundcheck.functions.networks import corpora, gpt
from boundcheck.functions.networks.corpora import ALPHABET
from boundcheck.functions.networks.gpt import GPT, GPTShape, Pretrained, pretrained
from boundcheck.system.files import cache_folder
from tests.layers import sampled

SHAPE = GPTShape(vocabulary=len(ALPHABET), width=16, heads=2, layers=1, context=16)
STEPS = 3


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BOUNDCHECK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def short_text(monkeypatch: pytest.MonkeyPatch) -> str:
    text = corpora.english()[:50_000]
    monkeypatch.setattr(corpora, "english", lambda: text)
    return text


@pytest.fixture
def made(short_text: str) -> Pretrained:
    return pretrained(SHAPE, STEPS)


@pytest.fixture
def threads() -> Iterator[int]:
    """Three threads, when all else is made, for as long as a test lasts."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield torch.get_num_threads()
    torch.set_num_threads(before)


def refuse(stage: str, done: int, total: int) -> None:
    raise AssertionError("trained again")


def same(one: Pretrained, other: Pretrained) -> bool:
    first, second = one.model.state_dict(), other.model.state_dict()
    losses = (one.held_out_loss, one.unigram_loss) == (other.held_out_loss, other.unigram_loss)
    return losses and all(torch.equal(first[name], second[name]) for name in first)


def only_file(cache: Path) -> Path:
    (path,) = cache.glob("*.pt")
    return path


@pytest.mark.full
def test_it_learns_more_than_the_frequencies_of_letters(short_text: str) -> None:
    ticks: list[tuple[str, int, int]] = []
    result = pretrained(replace(SHAPE, width=32), 200, tick=lambda *told: ticks.append(told))
    assert ticks == [("pretraining", step + 1, 200) for step in range(200)]
    assert result.held_out_loss < result.unigram_loss - 0.3
    assert all(weight.grad is None and weight.dtype == torch.float32 for weight in result.model.parameters())


def test_every_place_of_the_context_is_trained(made: Pretrained) -> None:
    initial = GPT(SHAPE, torch.Generator().manual_seed(0)).positions.weight
    moved = (made.model.positions.weight - initial).abs()
    # More than by weight decay alone.
    assert (moved.amax(1) > 1e-3).all()


def test_losses_are_those_of_a_loop(made: Pretrained, short_text: str) -> None:
    training, held_out = (ALPHABET.decode(ALPHABET.encode(part)) for part in corpora.split(short_text))
    windows = corpora.windows(held_out, 17, len(held_out) // 17, seed=0)
    model = made.model.double()
    losses, guesses = [], []
    for row in windows:
        logits = model(row[None, :-1])[0]
        losses += [-logits[i].log_softmax(0)[row[i + 1]].item() for i in range(16)]
        guesses += [
            -np.log((training.count(c) + 1) / (len(training) + len(ALPHABET))) for c in ALPHABET.decode(row[1:])
        ]
    assert made.held_out_loss == pytest.approx(np.mean(losses), rel=1e-5)
    assert made.unigram_loss == pytest.approx(np.mean(guesses), rel=1e-12)


def test_the_same_seed_gives_the_same_weights(
    made: Pretrained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOUNDCHECK_CACHE", str(tmp_path / "another"))
    torch.rand(3)
    assert same(made, pretrained(SHAPE, STEPS))
    assert not same(made, pretrained(SHAPE, STEPS, seed=1))


def test_threads_change_no_bit_of_the_weights(
    made: Pretrained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setenv("BOUNDCHECK_CACHE", str(tmp_path / "another"))
    assert same(made, pretrained(SHAPE, STEPS))
    assert torch.get_num_threads() == threads


def test_the_generator_of_torch_is_left_alone(short_text: str) -> None:
    before = torch.get_rng_state()
    pretrained(SHAPE, STEPS)
    pretrained(SHAPE, STEPS)
    assert torch.equal(before, torch.get_rng_state())


def test_what_is_cached_is_not_trained_again(made: Pretrained) -> None:
    again = pretrained(SHAPE, STEPS, tick=refuse)
    assert same(made, again)
    assert all(weight.requires_grad for weight in again.model.parameters())


def test_arguments_text_code_and_processor_have_files_of_their_own(
    made: Pretrained, short_text: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretrained(SHAPE, STEPS + 1)
    pretrained(SHAPE, STEPS, seed=1)
    pretrained(replace(SHAPE, heads=1), STEPS)
    monkeypatch.setattr(corpora, "english", lambda: short_text[:-1] + "#")
    pretrained(SHAPE, STEPS)
    (tmp_path / "gpt.py").write_text("another architecture", encoding="utf-8")
    monkeypatch.setattr(gpt, "__file__", str(tmp_path / "gpt.py"))
    pretrained(SHAPE, STEPS)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "another")
    pretrained(SHAPE, STEPS)
    assert len(list(cache.glob("*.pt"))) == 7


def garbled(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 64
    path.write_bytes(content)


def without_a_weight(path: Path) -> None:
    content = torch.load(path)
    del content["weights"]["head.weight"]
    torch.save(content, path)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "emptied": lambda path: path.write_bytes(b""),
    "shortened": lambda path: path.write_bytes(path.read_bytes()[:-1000]),
    "garbled": garbled,
    "a text": lambda path: path.write_text("no weights at all", encoding="utf-8"),
    "without losses": lambda path: torch.save({"weights": torch.load(path)["weights"]}, path),
    "without a weight": without_a_weight,
    "a list": lambda path: torch.save([1, 2], path),
}


@sampled(3)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_broken_file_is_made_anew(made: Pretrained, cache: Path, damage: str) -> None:
    DAMAGES[damage](only_file(cache))
    ticks: list[int] = []
    assert same(made, pretrained(SHAPE, STEPS, tick=lambda stage, done, total: ticks.append(done)))
    assert ticks == [1, 2, 3]
    assert same(made, pretrained(SHAPE, STEPS, tick=refuse))
    only_file(cache)


def test_the_cache_is_where_the_environment_says(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder() == cache
    for unset in ("", None):
        monkeypatch.delenv("BOUNDCHECK_CACHE") if unset is None else monkeypatch.setenv("BOUNDCHECK_CACHE", unset)
        assert cache_folder() == Path.home() / ".cache" / "boundcheck"


def test_a_cache_that_cannot_be_written_is_refused_before_training(
    short_text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("BOUNDCHECK_CACHE", str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"BOUNDCHECK_CACHE = .*: expected a path that can be written"):
        pretrained(SHAPE, STEPS, tick=refuse)


def test_a_folder_in_the_place_of_the_file_is_named(made: Pretrained, cache: Path) -> None:
    path = only_file(cache)
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match=r"BOUNDCHECK_CACHE = .*gpt-.*: expected a path that can be written"):
        pretrained(SHAPE, STEPS)


@pytest.mark.parametrize(
    ("shape", "steps", "message"),
    [
        (replace(SHAPE, vocabulary=96), 3, "vocabulary = 96: expected 97"),
        (SHAPE, 0, "steps = 0: expected a positive integer"),
    ],
)
def test_what_cannot_be_trained_is_refused(shape: GPTShape, steps: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        pretrained(shape, steps)


@pytest.mark.full
def test_the_whole_text_is_read_by_default() -> None:
    result = pretrained(SHAPE, 1)
    # About the entropy of single letters in English.
    assert 2.7 < result.unigram_loss < 3.1
