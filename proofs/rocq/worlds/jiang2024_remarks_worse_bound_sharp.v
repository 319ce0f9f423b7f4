move=> R; dull R.
by move=> *; rewrite sqrtr1 invr1; lra.
