(** Matrices with a single 1: the constant C = sigma is the least in all sizes. *)
From mathcomp Require Import all_ssreflect all_algebra ring lra.
From mathcomp Require Import reals.
From boundcheck Require Import Boundcheck Worlds.
Require jiang2024_assumption3_1_optimal_sharp.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Lemma fro_single (R : realType) m n : fro (delta_mx 0 0 : 'M[R]_(m.+1, n.+1)) = 1.
Proof.
rewrite /fro /= trmx_delta mul_delta_mx /mxtrace big_ord_recl mxE eqxx big1 ?addr0 ?sqrtr1 // => i _.
by rewrite mxE.
Qed.

Lemma opn_single (R : realType) m n : opn (delta_mx 0 0 : 'M[R]_(m.+1, n.+1)) = 1.
Proof.
apply/le_anti/andP; split; first by rewrite -[leRHS](fro_single R m n) opn_le_fro.
by rewrite -[leLHS](fro_single R m 0) -(mul_delta_mx (0 : 'I_n.+1)); apply: opn_ge; rewrite fro_single.
Qed.

Lemma world : forall (R : realType) (S : space R) (T d r k : nat) (sigma : R), 0 < sigma -> True.
Proof.
move=> R S T d r k sigma sigma_gt0.
have said := jiang2024_assumption3_1_optimal_sharp.jiang2024_assumption3_1_optimal_sharp R S T d.+1 r.+1 k.+1
  sigma (delta_mx 0 0) (delta_mx 0 0) sigma.
meet said.
- by [].
- by move=> *; rewrite opn_single addNr.
- by move=> *; rewrite fro_single addNr.
- by move=> *; rewrite opn_single addNr.
- by move=> *; rewrite !trmx_delta mul_delta_mx fro_single addNr.
- move=> A1 A2 B1 B2 _ B2_le A1_le _ t w rt; rewrite addrAC subr_ge0.
  have := A1_le t w rt; have := B2_le t w rt; rewrite ![- _ + _]addrC !subr_ge0 => b_le a_le.
  exact: lipschitz_product.
Qed.
Print Assumptions world.
