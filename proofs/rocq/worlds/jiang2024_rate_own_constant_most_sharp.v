move=> R; dull R.
by move=> *; rewrite sqrtr1; lra.
