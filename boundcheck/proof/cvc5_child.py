"""The process that `solvers` starts for cvc5: it reads SMT-LIB text and writes the output of its
commands.

It runs as a file and not as a module of boundcheck, whose imports take ten times as long as most
answers. cvc5's own parser reads the text, because its Python interface defines division
differently.
"""

import sys

import cvc5


def main() -> None:
    """Carry out the commands; cvc5's exceptions end the process with their traceback."""
    solver = cvc5.Solver(cvc5.TermManager())
    # Use only cylindrical coverings: the linearizations that come first by default take forever on
    # more problems.
    solver.setOption("nl-cov", "true")
    solver.setOption("nl-ext", "none")
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, sys.stdin.buffer.read().decode(), "input")
    while not (command := parser.nextCommand()).isNull():
        # Flush, so that the answer is out before the next command may fail.
        print(command.invoke(solver, parser.getSymbolManager()), end="", flush=True)


if __name__ == "__main__":
    main()
