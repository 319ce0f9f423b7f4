(** SGD on LoRA with one entry in each factor: f(W) = W^2 / 2, from W_0 = 1, A_1 = 1 and B_1 = 0. The gradient in B is
    known, and that in A comes with a fair coin's noise. *)
From mathcomp Require Import all_ssreflect all_algebra ring lra.
From mathcomp Require Import reals.
From boundcheck Require Import Boundcheck Worlds.
Require jiang2024_theorem2_repaired.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(** The time is 1. *)
Ltac once_only := case=> [|[|?]] w // _.

Lemma world : forall R : realType, True.
Proof.
move=> R; set L := 1 : R; set sigma := 3 : R; set G := 10 : R; set zeta := 11 : R; set D := 1 / 2 : R.
set Lhat := 2 * Num.sqrt 1%:R * sigma * L * sigma + G.
have LhatE : Lhat = 28 by rewrite /Lhat sqrtr1 /sigma /L /G; lra.
set alpha := Num.sqrt (1%:R^-1 * Lhat^-1 * zeta^-1 ^+ 2 * D).
have alpha_ge0 : 0 <= alpha by exact: sqrtr_ge0.
have alpha_le : alpha * zeta <= 1.
  have square : 1%:R^-1 * Lhat^-1 * zeta^-1 ^+ 2 * D = 1 / 6776 by rewrite LhatE /zeta /D; field.
  rewrite -(ler_pXn2r (n := 2)) ?nnegrE ?mulr_ge0 // expr1n exprMn sqr_sqrtr square /zeta; lra.
pose sign (w : bool) : R := if w then 1 else -1.
pose W : 'M[R]_1 := 1%:M.
pose A (t : nat) (w : bool) : 'M[R]_1 := if (t <= 1)%N then 1%:M else (1 - alpha * (zeta * sign w))%:M.
pose B (t : nat) (w : bool) : 'M[R]_1 := if (t <= 1)%N then 0 else (- alpha)%:M.
pose g_A (t : nat) (w : bool) : 'M[R]_1 := (zeta * sign w)%:M.
pose g_B (t : nat) (w : bool) : 'M[R]_1 := 1%:M.
have A_known t : knows (@past R (coin R) t) (A t).
  by move=> w v; rewrite /past /A /=; case: leqP => // _ /eqP; case: w v => [] [].
have B_known t : knows (@past R (coin R) t) (B t) by [].
have gf_is : is_gradient (fun x : 'M[R]_1 => fro x ^+ 2 / 2) id by exact: gradient_half_square.
have gF_is := @gradient_adapter R 1 1 1 _ _ 1 W gf_is.
have said := jiang2024_theorem2_repaired.jiang2024_theorem2_repaired R (coin R) 1 isT 1 1 1 isT isT isT _ _ gF_is
  _ _ gf_is sigma D G L Lhat (4 * zeta^-1 ^+ 2 * D * Lhat) W alpha
  (5 / 2 * Num.sqrt (1%:R^-1 * D * Lhat * zeta ^+ 2)) 0 sigma zeta A A_known B B_known g_A g_B.
meet said.
- by move=> *; exact: ltr01.
- by move=> *; rewrite /sigma; lra.
- by move=> *; rewrite /G; lra.
- by move=> *; rewrite /sigma; lra.
- by move=> *; rewrite /Lhat; ring.
- by move=> V V' t w _; rewrite mulr1 subrr.
- move=> A1 A2 B1 B2 _ B2_le A1_le _ t w rt; rewrite addrAC subr_ge0.
  have := A1_le t w rt; have := B2_le t w rt; rewrite ![- _ + _]addrC !subr_ge0 => b_le a_le.
  exact: lipschitz_product.
- move=> A1 B1 B1_le A1_le t w rt; rewrite addrC subr_ge0 (le_trans (fro_triangle _ _)) //.
  have := B1_le t w rt; have := A1_le t w rt; rewrite ![- _ + _]addrC !subr_ge0 => a_le b_le.
  have := ler_pM (opn_ge0 _) (opn_ge0 _) b_le a_le; have := fro_mul_op_fro (B1 t w) (A1 t w).
  have : fro (A1 t w) <= opn (A1 t w).
    by rewrite -(ler_pXn2r (n := 2)) ?nnegrE ?fro_ge0 ?opn_ge0 // (le_trans (rank_rows _)) // mul1r.
  move/(ler_wpM2l (opn_ge0 (B1 t w))); rewrite fro_entry normr1 /sigma /G; lra.
- by move=> A1 B1 t w _; rewrite scale1r subrr.
- by move=> *; rewrite /D; lra.
- by move=> *; rewrite /zeta; lra.
- by move=> *; rewrite /alpha; ring.
- once_only; rewrite addrC subr_ge0 (le_trans (opn_entry _)) // normr1 /sigma; lra.
- once_only; rewrite addrC subr_ge0 (le_trans (opn_le_fro _)) // fro0 /sigma; lra.
- once_only; rewrite addrC subr_ge0 (le_trans (opn_entry _)) // ler_norml; move: alpha_le alpha_ge0.
  by case: w => /=; rewrite /zeta /sigma => ? ?; apply/andP; split; lra.
- once_only; rewrite addrC subr_ge0 (le_trans (opn_entry _)) // normrN ger0_norm //.
  by move: alpha_le; rewrite /zeta /sigma; lra.
- once_only; rewrite (_ : (_, _) = 0) ?fro0 //; congr pair; apply/matrixP => i j; rewrite !ord1 !mxE /=; ring.
- once_only; have -> : mean (@past R (coin R) 1) (fun v => g_A 1%N v) w = 0.
    by apply/matrixP => i j; rewrite meanE /expect /weight !big_bool /= !mxE /sign; field.
  have -> : mean (@past R (coin R) 1) (fun v => g_B 1%N v) w = 1%:M.
    by apply/matrixP => i j; rewrite meanE /expect /weight !big_bool /= !mxE !ord1 /=; field.
  by rewrite /A /B /= !trmx0 !mul0mx !scaler0 add0r trmx1 mulmx1 !scale1r !subrr; exact: fro0.
- once_only; rewrite /A /B /= mul0mx scaler0 add0r fro_entry normr1 /D; lra.
- by move=> V t w _; rewrite subr0 divr_ge0 ?sqr_ge0.
- once_only; rewrite /expect /weight !big_bool /A /B /= !trmx0 !mul0mx !scaler0 add0r trmx1 mulmx1 scale1r.
  rewrite !fro_pair_sq !subr0 subrr fro0 expr0n /= !addr0 !fro_entry !real_normK ?num_real // /sign.
  have half : 1 / 2 + 1 / 2 = 1 :> R by field.
  by rewrite half divr1; lra.
- by move=> *; rewrite addNr.
- by move=> *; rewrite LhatE /zeta /D; lra.
- by move=> *; rewrite addNr.
Qed.
Print Assumptions world.
