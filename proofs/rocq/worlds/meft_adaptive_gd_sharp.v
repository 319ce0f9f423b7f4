(* f = 0, and nothing moves from A = 1 and B = 0. *)
move=> R; do 21 dull_letter; exists (fun _ _ => 1%:M), (fun _ _ => 0); dull R.
- by move=> *; rewrite opn_one opn0 fro0; lra.
- by move=> *; rewrite opn_one addNr.
