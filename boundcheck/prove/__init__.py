"""How a proof is found and a step refuted: sympy to kernel, certificates, SMT, exact witnesses, and proof scripts."""

from boundcheck.prove.proof import Proof
from boundcheck.prove.script import Script, script
from boundcheck.prove.translate import Process, Reading, eq, ge, gt, le
from boundcheck.prove.verdict import judge
from boundcheck.prove.witness import Witness

__all__ = ["Process", "Proof", "Reading", "Script", "Witness", "eq", "ge", "gt", "judge", "le", "script"]
