move=> R; do 23 dull_letter; exists 4; dull R.
by move=> *; rewrite (sqrt_square (y := 2)); lra.
