(* SGD on LoRA with one entry in each factor: f(W) = W^2 / 2, from W_0 = 1, A_1 = 1 and B_1 = 0. The gradient in B is
   known, and that in A comes with a fair coin's noise. *)
move=> R; pose L : R := 1; pose sigma : R := 3; pose G : R := 10; pose zeta : R := 11; pose D : R := 1 / 2.
pose Lhat := 2 * Num.sqrt 1%:R * sigma * L * sigma + G.
have LhatE : Lhat = 28 by rewrite /Lhat sqrtr1 /sigma /L /G; lra.
pose alpha := Num.sqrt (1%:R^-1 * Lhat^-1 * zeta^-1 ^+ 2 * D).
have alpha_ge0 : 0 <= alpha by exact: sqrtr_ge0.
have alpha_le : alpha * zeta <= 1.
  have square : 1%:R^-1 * Lhat^-1 * zeta^-1 ^+ 2 * D = 1 / 6776 by rewrite LhatE /zeta /D; field.
  rewrite -(ler_pXn2r (n := 2)) ?nnegrE ?mulr_ge0 // expr1n exprMn sqr_sqrtr square /zeta; lra.
pose A (t : nat) (w : bool) : 'M[R]_1 := if (t <= 1)%N then 1%:M else (1 - alpha * (zeta * sign R w))%:M.
pose B (t : nat) (w : bool) : 'M[R]_1 := if (t <= 1)%N then 0 else (- alpha)%:M.
pose g_A (t : nat) (w : bool) : 'M[R]_1 := if (t < 1)%N then 0 else (zeta * sign R w)%:M.
exists (coin R), 1%N, 1%N, 1%N, 1%N, (fun x => fro x ^+ 2 / 2), id.
exists (fun x => fro (1 *: (x.2 *m x.1) + 1%:M) ^+ 2 / 2); eexists; exists sigma, D, G, L, Lhat; eexists.
exists 1%:M, alpha; eexists; exists 0, sigma, zeta, A, B, g_A, (fun _ _ => 1%:M); parts.
- by [].
- by [].
- by [].
- by [].
- exact: gradient_half_square.
- exact: (gradient_adapter 1 1%:M (@gradient_half_square _ _ _)).
- by move=> t; apply: (knows_coin (s := id)) => w u t1; rewrite /A t1.
- by [].
- by move=> t; apply: (knows_coin (s := succn)) => w u; rewrite /g_A; case: t.
- by [].
- by move=> *; exact: ltr01.
- by move=> *; rewrite /sigma; lra.
- by move=> *; rewrite /G; lra.
- by move=> *; rewrite /sigma; lra.
- by move=> *; rewrite /Lhat; ring.
- by move=> V V' t w _; rewrite mulr1 subrr.
- exact: lipschitz_in_ball.
- move=> A1 B1 B1_le A1_le t w rt; rewrite addrC subr_ge0 (le_trans (fro_triangle _ _)) //.
  have := B1_le t w rt; have := A1_le t w rt; rewrite ![- _ + _]addrC !subr_ge0 => a_le b_le.
  have := ler_pM (opn_ge0 _) (opn_ge0 _) b_le a_le; have := fro_mul_op_fro (B1 t w) (A1 t w).
  have : fro (A1 t w) <= opn (A1 t w).
    by rewrite -(ler_pXn2r (n := 2)) ?nnegrE ?fro_ge0 ?opn_ge0 // (le_trans (rank_rows _)) // mul1r.
  move/(ler_wpM2l (opn_ge0 (B1 t w))); rewrite fro_entry normr1 /sigma /G; lra.
- by move=> A1 B1 t w _; rewrite /= scale1r subrr.
- by move=> *; rewrite /D; lra.
- by move=> *; rewrite /zeta; lra.
- by move=> *; rewrite /alpha; ring.
- once_only; rewrite addrC subr_ge0 (le_trans (opn_entry _)) // normr1 /sigma; lra.
- once_only; rewrite addrC subr_ge0 (le_trans (opn_le_fro _)) // fro0 /sigma; lra.
- once_only; rewrite addrC subr_ge0 (le_trans (opn_entry _)) // ler_norml; move: alpha_le alpha_ge0.
  by case: w => /=; rewrite /zeta /sigma => ? ?; apply/andP; split; lra.
- once_only; rewrite addrC subr_ge0 (le_trans (opn_entry _)) // normrN ger0_norm //.
  by move: alpha_le; rewrite /zeta /sigma; lra.
- by move=> V t w _; rewrite subr0 divr_ge0 ?sqr_ge0.
- once_only; rewrite (_ : (_, _) = 0) ?fro0 //; congr pair; apply/matrixP => i j; rewrite !ord1 !mxE /=; ring.
- once_only; rewrite !mean_coin /A /B /= !trmx0 !mul0mx !scaler0 add0r trmx1 mulmx1 !scale1r /g_A /=.
  rewrite (_ : (_, _) = 0) ?fro0 //; congr pair.
    by apply/matrixP => i j; rewrite !ord1 !mxE /= /sign; field.
  by apply/matrixP => i j; rewrite !ord1 !mxE /=; field.
- once_only; rewrite /A /B /= mul0mx scaler0 add0r fro_entry normr1 /D; lra.
- once_only; rewrite expect_coin_nothing /A /B /g_A /= !trmx0 !mul0mx !scaler0 add0r trmx1 mulmx1 scale1r.
  rewrite !fro_pair_sq !subr0 subrr fro0 expr0n /= !addr0 !fro_entry !real_normK ?num_real // /sign; lra.
- by move=> *; exact: subrr.
- by move=> *; rewrite LhatE /zeta /D; lra.
- by move=> *; exact: subrr.
