"""The lines of jiang2024's proofs in the paper's own LaTeX, by label; chains are split at their
relation signs.
"""

from collections.abc import Mapping
from dataclasses import replace

from boundcheck.proof import Proof
from boundcheck.proof.notation import check_math


def quote(proof: Proof, lines: Mapping[str, str]) -> None:
    """Put the paper's own LaTeX beside the lines that have its labels."""
    proof.steps = [
        replace(step, printed=check_math(lines.get(step.label, ""))) for step in proof.steps
    ]


LEMMA_1 = {
    "(10)": (
        r"\|\nabla f(\mathbf{v}_1, \boldsymbol{\theta}_0) - \nabla f(\mathbf{v}_2,"
        r" \boldsymbol{\theta}_0)\| \leq "
        r"(2LC\sqrt{r}\sigma + G)\|\mathbf{v}_1 - \mathbf{v}_2\|"
    ),
    "(10), any $v_1$, $v_2$": r"\text{for any given } \mathbf{v}_1, \mathbf{v}_2 \in \mathbb{R}^m",
    "(11)": (
        r"\frac{\|\nabla f(\mathbf{v}_1, \mathbf{W}_0) - \nabla f(\mathbf{v}_2, \mathbf{W}_0)\|_F}"
        r"{\|\mathbf{v}_1 - \mathbf{v}_2\|_F} = \frac{\|\mathbf{B}_1^\top \nabla_{\mathbf{W}_1}f -"
        r" \mathbf{B}_2^\top "
        r"\nabla_{\mathbf{W}_2}f\|_F + \|\nabla_{\mathbf{W}_1}f \mathbf{A}_1^\top -"
        r" \nabla_{\mathbf{W}_2}f "
        r"\mathbf{A}_2^\top\|_F}{\|\mathbf{v}_1 - \mathbf{v}_2\|_F}"
    ),
    "(12), triangle": (
        r"\|\mathbf{B}_1^\top \nabla_{\mathbf{W}_1}f - \mathbf{B}_1^\top \nabla_{\mathbf{W}_2}f + "
        r"\mathbf{B}_1^\top \nabla_{\mathbf{W}_2}f - \mathbf{B}_2^\top \nabla_{\mathbf{W}_2}f\|_F"
        r" \leq "
        r"\|\mathbf{B}_1^\top (\nabla_{\mathbf{W}_1}f - \nabla_{\mathbf{W}_2}f)\|_F +"
        r" \|(\mathbf{B}_1^\top - "
        r"\mathbf{B}_2^\top) \nabla_{\mathbf{W}_2}f\|_F"
    ),
    "(12)": (
        r"\leq \|\mathbf{B}_1^\top\|_F \|\nabla_{\mathbf{W}_1}f - \nabla_{\mathbf{W}_2}f\|_F + "
        r"\|\mathbf{B}_1^\top - \mathbf{B}_2^\top\|_F \|\nabla_{\mathbf{W}_2}f\|_F"
    ),
    "(12), similarly": (
        r"\|\nabla_{\mathbf{W}_1} f \mathbf{A}_1^\top - \nabla_{\mathbf{W}_2} f"
        r" \mathbf{A}_1^\top + "
        r"\nabla_{\mathbf{W}_2} f \mathbf{A}_1^\top - \nabla_{\mathbf{W}_2} f \mathbf{A}_2^\top\|_F"
        r" \leq "
        r"\|\nabla_{\mathbf{W}_1} f - \nabla_{\mathbf{W}_2} f\|_F \|\mathbf{A}_1^\top\|_F + "
        r"\|\nabla_{\mathbf{W}_2} f\|_F \|\mathbf{A}_1^\top - \mathbf{A}_2^\top\|_F"
    ),
    "(13), first $≤$": (
        r"\frac{\|\nabla f(\mathbf{v}_1, \mathbf{W}_0) - \nabla f(\mathbf{v}_2, \mathbf{W}_0)\|_F}"
        r"{\|\mathbf{v}_1 - \mathbf{v}_2\|_F} \leq \frac{\|\nabla_{\mathbf{W}_1} f -"
        r" \nabla_{\mathbf{W}_2} f\|_F "
        r"(\|\mathbf{A}_1^\top\|_F + \|\mathbf{B}_1^\top\|_F) + \|\nabla_{\mathbf{W}_2} f\|_F"
        r" (\|\mathbf{A}_1^\top - "
        r"\mathbf{A}_2^\top\|_F + \|\mathbf{B}_1^\top - \mathbf{B}_2^\top\|_F)}{\|\mathbf{A}_1 -"
        r" \mathbf{A}_2\|_F + "
        r"\|\mathbf{B}_1 - \mathbf{B}_2\|_F}"
    ),
    "(13), second $≤$": (
        r"\leq \frac{L \|\mathbf{W}_1 - \mathbf{W}_2\|_F (\|\mathbf{A}_1^\top\|_F + "
        r"\|\mathbf{B}_1^\top\|_F)}{\|\mathbf{A}_1 - \mathbf{A}_2\|_F + \|\mathbf{B}_1 -"
        r" \mathbf{B}_2\|_F} + G"
    ),
    "(13), third $≤$": r"\leq 2LC\sqrt{r}\sigma + G",
}

THEOREM_2 = {
    "(15)": (
        r"f(\mathbf{v}_{t+1}, \boldsymbol{\theta}_0) - f(\mathbf{v}_t, \boldsymbol{\theta}_0) - "
        r"\langle \nabla f(\mathbf{v}_t, \boldsymbol{\theta}_0), \mathbf{v}_{t+1} - \mathbf{v}_t"
        r" \rangle \leq "
        r"\frac{\hat{L}}{2} \|\mathbf{v}_{t+1} - \mathbf{v}_t\|^2"
    ),
    "(16)": (
        r"f(\mathbf{v}_{t+1}, \boldsymbol{\theta}_0) - f(\mathbf{v}_t, \boldsymbol{\theta}_0) + "
        r"\alpha \langle \nabla f(\mathbf{v}_t, \boldsymbol{\theta}_0), \mathbf{g}_t \rangle \leq "
        r"\frac{\hat{L}}{2} \alpha^2 \|\mathbf{g}_t\|^2"
    ),
    "(17)": (
        r"\frac{\hat{L}}{2} \alpha^2 \|\mathbf{g}_t\|^2 = \frac{\hat{L}}{2} \alpha^2"
        r" \|\mathbf{g}_t - "
        r"\nabla f(\mathbf{v}_t, \boldsymbol{\theta}_0) + \nabla f(\mathbf{v}_t,"
        r" \boldsymbol{\theta}_0)\|^2"
    ),
    "(18)": (
        r"\frac{\hat{L}}{2} \alpha^2 \|\mathbf{g}_t\|^2 \leq \hat{L} \alpha^2 (\|\mathbf{g}_t - "
        r"\nabla f(\mathbf{v}_t, \boldsymbol{\theta}_0)\|^2 + \|\nabla f(\mathbf{v}_t,"
        r" \boldsymbol{\theta}_0)\|^2)"
    ),
    "(19)": (
        r"\mathbb{E}[f(\mathbf{v}_{t+1}, \boldsymbol{\theta}_0) - f(\mathbf{v}_t,"
        r" \boldsymbol{\theta}_0)] + "
        r"\alpha \mathbb{E}[\|\nabla f(\mathbf{v}_t, \boldsymbol{\theta}_0)\|^2] \leq \hat{L}"
        r" \alpha^2 "
        r"\mathbb{E}[\|\mathbf{g}_t - \nabla f(\mathbf{v}_t, \boldsymbol{\theta}_0)\|^2 + "
        r"\|\nabla f(\mathbf{v}_t, \boldsymbol{\theta}_0)\|^2]"
    ),
    "(20)": (
        r"\mathbb{E}[f(\mathbf{v}_{t+1}, \boldsymbol{\theta}_0) - f(\mathbf{v}_t,"
        r" \boldsymbol{\theta}_0)] + "
        r"\alpha \mathbb{E}[\|\nabla f(\mathbf{v}_t, \boldsymbol{\theta}_0)\|^2] \leq"
        r" \hat{L}\alpha^2\zeta^2 + "
        r"\hat{L}\alpha^2\mathbb{E}[\|\nabla f(\mathbf{v}_t, \boldsymbol{\theta}_0)\|^2]"
    ),
    "(21)": (
        r"\mathbb{E}[f(\mathbf{v}_{t+1}, \boldsymbol{\theta}_0) - f(\mathbf{v}_t,"
        r" \boldsymbol{\theta}_0)] \leq "
        r"\hat{L}\alpha^2\zeta^2 - \frac{\alpha}{2}\mathbb{E}[\|\nabla f(\mathbf{v}_t,"
        r" \boldsymbol{\theta}_0)\|^2]"
    ),
    "(22)": (
        r"\mathbb{E}[\|\nabla f(\mathbf{v}_t, \boldsymbol{\theta}_0)\|^2] \leq"
        r" \frac{2(\mathbb{E}[f(\mathbf{v}_t, "
        r"\boldsymbol{\theta}_0) - f(\mathbf{v}_{t+1}, \boldsymbol{\theta}_0)])}{\alpha} + "
        r"\frac{\hat{L}\alpha\zeta^2}{2}"
    ),
    "(23)": (
        r"\sum_{t=1}^T \mathbb{E}[\|\nabla f(\mathbf{v}_t, \boldsymbol{\theta}_0)\|^2] \leq "
        r"\frac{2(f(\mathbf{v}_1, \boldsymbol{\theta}_0) - f^*)}{\alpha} +"
        r" \frac{T\hat{L}\alpha\zeta^2}{2}"
    ),
    "(24), first $≤$": (
        r"\min_{t=1:T} \mathbb{E}[\|\nabla f(\mathbf{v}_t, \boldsymbol{\theta}_0)\|^2] \leq "
        r"\frac{\sum_{t=1}^T \mathbb{E}[\|\nabla f(\mathbf{v}_t, \boldsymbol{\theta}_0)\|^2]}{T}"
    ),
    "(24), second $≤$": (
        r"\frac{\sum_{t=1}^T \mathbb{E}[\|\nabla f(\mathbf{v}_t, \boldsymbol{\theta}_0)\|^2]}{T}"
        r" \leq "
        r"\frac{2D}{\alpha T} + \frac{\hat{L}\alpha\zeta^2}{2}"
    ),
    "(14)": (
        r"\min_{t=1:T} \mathbb{E}[\|\nabla f(\mathbf{v}_t, \boldsymbol{\theta}_0)\|^2] \leq "
        r"2.5 \sqrt{\frac{D\hat{L}\zeta^2}{T}}"
    ),
    "(14) of $v_T$": r"\textbf{Result: } \mathbf{v}_T",
}
