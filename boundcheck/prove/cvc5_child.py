"""The process that `solvers` starts for cvc5: SMT-LIB text in, what its commands print out.

It is run as a file and not as a module of boundcheck, whose imports take ten times as long as most of its answers.
cvc5's own parser reads the text; its Python interface has other ideas of division.
"""

import sys

import cvc5


def main() -> None:
    """Carry out the commands; cvc5's exceptions end the process with their traceback."""
    solver = cvc5.Solver(cvc5.TermManager())
    # Cylindrical coverings alone: with the linearizations that come first by default, more problems take forever.
    solver.setOption("nl-cov", "true")
    solver.setOption("nl-ext", "none")
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, sys.stdin.buffer.read().decode(), "input")
    while not (command := parser.nextCommand()).isNull():
        # At once, so that an answer is out before the next command may fail.
        print(command.invoke(solver, parser.getSymbolManager()), end="", flush=True)


if __name__ == "__main__":
    main()
