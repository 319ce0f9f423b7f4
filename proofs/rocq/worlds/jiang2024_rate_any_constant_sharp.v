move=> R; exists (still R), 1%N; do 4 dull_letter; exists 5; dull R.
