(** f = 0, and nothing moves: that is enough for hypotheses that are met, at all sizes. *)
From mathcomp Require Import all_ssreflect all_algebra ring lra.
From mathcomp Require Import reals.
From boundcheck Require Import Boundcheck Worlds.
Require meft_theorem2_best_step_sharp.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Lemma world : forall (R : realType) (S : space R) (T d r k : nat), (0 < T)%N -> (0 < d)%N -> (0 < r)%N -> (0 < k)%N -> True.
Proof.
move=> R S T d r k T_gt0 d_gt0 r_gt0 k_gt0.
have F_is := @gradient_zero R ('M[R]_(r, k) * 'M[R]_(d, r))%type _.
have f_is := @gradient_zero R 'M[R]_(d, k) _.
have mean_0 t w m n : mean (@past R S t) (fun=> 0 : 'M[R]_(m, n)) w = 0.
  by apply: mean_of_known => //; exact: past_is_past.
pose Lhat : R := Num.sqrt (2 * 1 * 1 * 1 * 1 * 1 ^+ 3 + 1 ^+ 2 * 1 ^+ 2 + 1 / 2 * 1 ^+ 2 * 1 ^+ 2 * 1 ^+ 2 * 1 ^+ 4
  + 1 / 4 * 1 ^+ 2 * 1 ^+ 4 * 1 ^+ 4 + 1 / 4 * 1 ^+ 2 * 1 ^+ 4 * 1 ^+ 4) + 1 / 2 * 1 * 1 ^+ 2 * 1 ^+ 2
  + 1 / 2 * 1 * 1 ^+ 2 * 1 ^+ 2.
pose q : R := Num.sqrt (T%:R^-1 * 1^-1 ^+ 2 * 1 * Lhat); pose kappa := Num.sqrt (2 + q ^+ 2) + q.
have said := meft_theorem2_best_step_sharp.meft_theorem2_best_step_sharp R S T T_gt0 r k d r_gt0 k_gt0 d_gt0
  _ _ (F_is _) _ _ (f_is _) 1 1 1 Lhat 0 1 (2 * Lhat^-1 * kappa^-1 * q) 1
  (Num.sqrt (T%:R^-1 * 1 * Lhat * 1 ^+ 2) * kappa) (-1) kappa q 1 1
  (fun _ _ => 0) (fun _ _ _ _ => erefl) (fun _ _ => 0) (fun _ _ _ _ => erefl) (fun _ _ => 0) (fun _ _ => 0).
meet said.
all: try by move=> *; rewrite ?opn_zero // ?oppr0 ?add0r ltr01.
all: try by move=> *; rewrite ?opn_zero // ?oppr0 ?add0r ler01.
- by move=> *; rewrite /Lhat; ring.
- by move=> *; rewrite subrr fro0 mulr1 subr0 fro_ge0.
- by move=> *; rewrite subrr.
- by move=> *; rewrite addNr.
- by move=> *; rewrite /kappa; ring.
- by move=> *; rewrite addNr.
- by move=> *; rewrite !scaler0 !subrr !addr0; exact: fro0.
- by move=> *; rewrite /= !mean_0 !subrr; exact: fro0.
- by move=> *; rewrite oppr0 add0r subrr.
- by move=> *; rewrite subr_ge0 lerN10.
- move=> t w _; rewrite /= (expect_of_known (g := @nothing R S)) // !subrr.
  by rewrite (_ : fro _ = 0) ?expr0n ?expr1n ?oppr0 ?add0r ?ler01 //; exact: fro0.
- by move=> *; rewrite addNr.
Qed.
Print Assumptions world.
