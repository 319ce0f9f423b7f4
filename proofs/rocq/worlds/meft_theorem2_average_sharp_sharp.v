(* SGD on F(v) = v^2 / 2 from v_1 = 1, with the noise of a fair coin, 2 or -2. *)
move=> R; pose alpha : R := Num.sqrt (1%:R^-1 * 1^-1 * 2^-1 ^+ 2 * (1 / 2)).
pose g (t : nat) (w : bool) : 'M[R]_1 := if (t < 1)%N then 0 else (1 + 2 * sign R w)%:M.
pose v (t : nat) (w : bool) : 'M[R]_1 := if (t <= 1)%N then 1%:M else (1 - alpha * (1 + 2 * sign R w))%:M.
exists (coin R), 1%N, 1%N, (fun x => fro x ^+ 2 / 2), id, (1 / 2), 1; eexists; exists alpha; eexists; exists 1, 0.
do 2 eexists; exists 2, g, v; parts; try dull_definition; try (by move=> *; lra).
- by [].
- by [].
- exact: gradient_half_square.
- by move=> t; apply: (knows_coin (s := succn)) => w u; rewrite /g; case: t.
- by move=> t; apply: (knows_coin (s := id)) => w u t1; rewrite /v t1.
- by move=> *; exact: addNr.
- by move=> *; rewrite scaleN1r subrr fro0.
- once_only; rewrite mean_coin /g /v /= (_ : _ - _ = 0) ?fro0 //.
  by apply/matrixP => i j; rewrite !ord1 !mxE /= /sign; field.
- once_only; rewrite /g /v /= (_ : _ - _ = 0) ?fro0 //.
  by apply/matrixP => i j; rewrite !ord1 !mxE /=; ring.
- once_only; rewrite expect_coin /g /v /= -!raddfB !fro_entry !real_normK ?num_real // /sign; lra.
- by move=> *; rewrite /v fro_entry normr1; lra.
