(** f(W) = |W|^2 / 2, for all sizes: the gradient of F on the ball is at most that of f, G = sqrt(r) sigma^2. *)
From mathcomp Require Import all_ssreflect all_algebra ring lra.
From mathcomp Require Import reals.
From boundcheck Require Import Boundcheck Worlds.
Require jiang2024_lemma1_repaired.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Lemma world : forall (R : realType) (S : space R) (T d r k : nat) (sigma : R), (0 < r)%N -> 0 < sigma -> True.
Proof.
move=> R S T d r k sigma r_gt0 sigma_gt0.
have gf_is : is_gradient (fun x : 'M[R]_(d, k) => fro x ^+ 2 / 2) id by exact: gradient_half_square.
have gF_is := @gradient_adapter R d r k _ _ 1 0 gf_is.
have r1_gt0 : 0 < Num.sqrt r%:R :> R by rewrite sqrtr_gt0 ltr0n.
have said := jiang2024_lemma1_repaired.jiang2024_lemma1_repaired R S T d r k r_gt0 _ _ gF_is _ _ gf_is
  sigma (Num.sqrt r%:R * sigma ^+ 2) 1 (2 * Num.sqrt r%:R * sigma * 1 * sigma + Num.sqrt r%:R * sigma ^+ 2) 0 sigma.
meet said.
- by move=> *; exact: ltr01.
- by [].
- by move=> *; rewrite mulr_gt0 ?exprn_gt0.
- by [].
- by move=> *; ring.
- by move=> V V' t w _; rewrite mulr1 subrr.
- move=> A1 A2 B1 B2 _ B2_le A1_le _ t w rt; rewrite addrAC subr_ge0.
  have := A1_le t w rt; have := B2_le t w rt; rewrite ![- _ + _]addrC !subr_ge0 => b_le a_le.
  exact: lipschitz_product.
- move=> A B B_le A_le t w rt; rewrite addr0 addrC subr_ge0.
  have := A_le t w rt; have := B_le t w rt; rewrite ![- _ + _]addrC !subr_ge0 => b_le a_le.
  exact: fro_product_ball.
- by move=> A B t w _; rewrite scale1r subrr.
Qed.
Print Assumptions world.
