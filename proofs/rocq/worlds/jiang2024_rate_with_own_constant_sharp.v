move=> R; exists (still R), 1%N; do 3 dull_letter; exists 5; dull R.
