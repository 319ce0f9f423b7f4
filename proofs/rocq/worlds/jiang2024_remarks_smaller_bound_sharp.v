(* Nothing happens. *)
move=> R; dull R.
