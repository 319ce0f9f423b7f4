(* f(W) = |W|^2 / 2. *)
move=> R; exists (still R), 1%N, 2%N, 4%N, 3%N.
exists (fun x => fro (1 *: (x.2 *m x.1) + 0) ^+ 2 / 2); eexists; exists (fun x => fro x ^+ 2 / 2), id.
exists 2, (Num.sqrt 2%:R * 2 ^+ 2), 1, 0, 2.
parts=> //.
- exact: (gradient_adapter 1 0 (@gradient_half_square _ _ _)).
- exact: gradient_half_square.
all: try by move=> *; exact: subrr.
all: try by move=> *; first [exact: ltr01 | lra].
all: try exact: lipschitz_in_ball.
all: try by move=> *; rewrite /= ?scale1r ?mulr1 subrr.
all: try by move=> *; exact: subrr.
- by move=> *; rewrite mulr_gt0 ?sqrtr_gt0 ?exprn_gt0 ?ltr0n.
- move=> A B B_le A_le t w rt; rewrite addr0 addrC subr_ge0; have := A_le t w rt; have := B_le t w rt.
  by rewrite ![- _ + _]addrC !subr_ge0 => b_le a_le; exact: fro_product_ball.
