"""`proofs/check_certificates.py` as a module, and a certificate asked of the kernel's rule and of
that reader."""

import json
from pathlib import Path
from types import ModuleType

from boundcheck.kernel import RuleError, Theorem, rules
from boundcheck.proof.export import certificate_as_json

CHECKER = Path(__file__).parents[2] / "proofs" / "check_certificates.py"
NAMED = {"claim": "my.lemma", "version": "sharp", "number": 1, "line": ""}


def edited(old, new):
    """The reader with one place of its text changed."""
    text = CHECKER.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    module = ModuleType("check_certificates")
    exec(compile(text.replace(old, new), str(CHECKER), "exec"), vars(module))
    return module


checker = edited("EXAMPLE =", "EXAMPLE =")


def objection(certificate, reader=checker):
    """What the reader says of a certificate, which goes through JSON to it; raises ValueError if it
    cannot be read."""
    line = json.dumps(NAMED | certificate, ensure_ascii=False)
    return reader.objection(
        reader.fit(json.loads(line, object_pairs_hook=tuple), json.loads(reader.EXAMPLE))
    )


def unproved(premises, *arguments):
    """What has the form of a theorem by certificate, whether or not it is one."""
    assumed = tuple(map(rules.assume, premises))
    return Theorem(frozenset(), arguments[0], frozenset(), "certificate", assumed, arguments)


def kernel_accepts(certificate):
    try:
        rules.certificate(certificate.premises, *certificate.arguments)
    except RuleError:
        return False
    return True


def reader_accepts(certificate, reader=checker):
    return not objection(certificate_as_json(certificate), reader)
