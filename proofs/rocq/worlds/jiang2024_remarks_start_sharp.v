move=> R; do 4 dull_letter; exists (fun _ _ => 1%:M); dull R.
by move=> *; rewrite expect_still_nothing fro_entry normr1 !expr1n !mulr1 subrr.
