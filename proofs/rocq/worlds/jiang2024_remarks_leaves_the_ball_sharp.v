move=> R; exists (still R), 1%N; do 2 dull_letter; exists (- 1); dull R.
