(* Twelve steps are enough where all else is 1. *)
move=> R; exists (still R), 12%N; dull R.
by move=> *; rewrite sqrtr1 invr1 expr1n; lra.
