move=> R; do 16 dull_letter; exists 2; dull R.
