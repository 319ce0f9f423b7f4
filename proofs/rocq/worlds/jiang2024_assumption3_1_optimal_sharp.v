(* Matrices with a single 1. *)
move=> R; exists (still R), 1%N, 1%N, 3%N, 2%N, 2, (delta_mx 0 0), (delta_mx 0 0), 2; parts=> //; try by move=> *; lra.
- by move=> *; rewrite opn_single addNr.
- by move=> *; rewrite fro_single addNr.
- by move=> *; rewrite opn_single addNr.
- by move=> *; rewrite !trmx_delta mul_delta_mx fro_single addNr.
- exact: lipschitz_in_ball.
