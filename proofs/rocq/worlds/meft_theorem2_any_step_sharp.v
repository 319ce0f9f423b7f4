move=> R; dull R.
