"""Texts as nobody means well would write them, for each place that shows a text from outside."""

import hypothesis.strategies as st

NASTY = {
    "a formula that does not end": "$(x^-$",
    "a dollar": "costs $",
    "dollars": "$$x$$ $$",
    "brackets": "(" * 5000,
    "brackets in a formula": f"${'(' * 5000}$",
    "brackets that close": f"${'(' * 5000}x{')' * 5000}$",
    "braces": f"${'x_{' * 5000}$",
    "roots": f"${'√' * 5000}x$",
    "scripts": f"${'x^' * 5000}$",
    "commands": (
        f"${chr(92)}frac{{a}} {chr(92)}left( {chr(92)}end{{document}}"
        f" {chr(92)}input{{/etc/passwd}}$"
    ),
    "deep commands": "$" + r"\sqrt{" * 5000 + "$",
    "escapes": "\x1b[2J\x1b]0;title\x07 \x9b31m",
    "backspaces": "good\b\b\b\bbad\r",
    "nothing": "\0",
    "half a letter": "a \ud800 b \udfff",
    "other directions": "\u202eabc\u2066def",
    "no letters": "\ufffe\uffff\u2028\u2029\u200b\ufeff",
    "marks": "Z" + "\u0351\u036b" * 50,
    "pictures": "💥 👩‍👩‍👧 Ａ 漢字 ﷽",
    "backticks": "`a` ``b`` ``` `",
    "a list": "\n# heading\n- point\n\n| a | b |\n|--|--|\n",
    "tags": "<script>alert(1)</script><!-- --> ]]> &lt; &#x1b;",
    "rich": "[bold]x[/] [/bold] [link=a]b [",
    "a shell": "; rm -rf ~ && $(touch x) 'a' \"b\" `c` | d > e",
    "comments": "% not -- a --- comment",
    "long": "W" * 20_000,
    "spaces": "  \t \n  ",
    "": "",
}
anything = st.sampled_from(list(NASTY.values())) | st.text(
    st.characters(codec=None) | st.sampled_from("$$$()[]{}^_\\`#<>&|*√\"'\x1b\0\n\ud800"),
    max_size=40,
)
"""Any text, halves of letters and control characters among them."""
