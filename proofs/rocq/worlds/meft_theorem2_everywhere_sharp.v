move=> R; do 14 dull_letter; exists 2; dull R.
