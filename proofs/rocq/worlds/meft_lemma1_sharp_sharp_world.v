(** f(W) = |W|^2 / 2, for all sizes: the gradient on the ball is at most G = s a b. *)
From mathcomp Require Import all_ssreflect all_algebra ring lra.
From mathcomp Require Import reals.
From boundcheck Require Import Boundcheck Worlds.
Require meft_lemma1_sharp_sharp.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Lemma world : forall (R : realType) (S : space R) (T d r k : nat) (a b s : R), 0 < a -> 0 < b -> 0 < s -> True.
Proof.
move=> R S T d r k a b s a_gt0 b_gt0 s_gt0.
have gf_is : is_gradient (fun x : 'M[R]_(d, k) => fro x ^+ 2 / 2) id by exact: gradient_half_square.
have gF_is := @gradient_adapter R d r k _ _ s 0 gf_is.
have said := meft_lemma1_sharp_sharp.meft_lemma1_sharp_sharp R S T d r k _ _ gF_is _ _ gf_is (s * (b * a)) 1
  (Num.sqrt (2 * (s * (b * a)) * 1 * a * b * s ^+ 3 + (s * (b * a)) ^+ 2 * s ^+ 2
    + 1 / 2 * 1 ^+ 2 * a ^+ 2 * b ^+ 2 * s ^+ 4 + 1 / 4 * 1 ^+ 2 * a ^+ 4 * s ^+ 4 + 1 / 4 * 1 ^+ 2 * b ^+ 4 * s ^+ 4)
    + 1 / 2 * 1 * a ^+ 2 * s ^+ 2 + 1 / 2 * 1 * b ^+ 2 * s ^+ 2) 0 a b s.
meet said.
- by move=> *; exact: ltr01.
- by move=> *; rewrite !mulr_gt0.
- by [].
- by [].
- by [].
- by move=> *; ring.
- move=> A B B_le A_le t w rt; rewrite addr0 addrC subr_ge0 opnZ gtr0_norm // ler_pM2l //.
  have := A_le t w rt; have := B_le t w rt; rewrite ![- _ + _]addrC !subr_ge0 => b_le a_le.
  by apply: le_trans (opn_mul _ _) _; rewrite ler_pM ?opn_ge0.
- by move=> V V' t w _; rewrite mulr1 subrr.
- by move=> A B t w _; rewrite subrr.
Qed.
Print Assumptions world.
