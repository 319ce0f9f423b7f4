(** f = 0, and nothing moves: A = 1, B = 0, with one entry in each factor. *)
From mathcomp Require Import all_ssreflect all_algebra ring lra.
From mathcomp Require Import reals.
From boundcheck Require Import Boundcheck Worlds.
Require meft_adaptive_gd_sharp.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Lemma world : forall (R : realType) (S : space R) (T : nat), (0 < T)%N -> True.
Proof.
move=> R S T T_gt0.
have F_is := @gradient_zero R ('M[R]_1 * 'M[R]_1)%type _.
have f_is := @gradient_zero R 'M[R]_1 _.
pose stretch : R := Num.sqrt (Num.sqrt (6 * T%:R^-1 * 1^-1 * 1 * 1 ^+ 2 * 1 ^+ 2 + 3 * T%:R^-1 * 1^-1 * 1 * 1 ^+ 4
  + 3 * T%:R^-1 * 1^-1 * 1 * 1 ^+ 4)).
pose steep : R := Num.sqrt (2 * 1 * 1).
pose first := 2 * stretch^-1 * 1 * 1 ^+ 2 + 2 * stretch^-1 * 1 * 1 ^+ 2 + 2 * 1 * 1 ^+ 2 + 2 * 1 * 1 ^+ 2 + 2 * steep.
pose growth := 8 / 3 * 1 * 1 + 8 / 3 * 1 * 1 * stretch.
have opn_one : opn (1%:M : 'M[R]_1) = 1.
  apply/le_anti/andP; split; first by rewrite (le_trans (opn_entry _)) ?normr1.
  have := opn_ge (1%:M : 'M[R]_1) (v := 1%:M); rewrite mul1mx fro_entry normr1; exact.
have said := meft_adaptive_gd_sharp.meft_adaptive_gd_sharp R S T T_gt0 1 1 1 _ _ (f_is _) _ _ (F_is _) 1 1 0 1 1
  ((3 / 4 * Num.sqrt (2 * T%:R * growth + first ^+ 2) - 3 / 4 * first)^-1 * 1 * growth) (-1) first growth (1 / 2)
  steep stretch (fun _ _ => 1%:M) (fun _ _ => 0).
meet said.
all: try by move=> *; rewrite ltr01.
all: try by move=> *; rewrite addNr.
all: try by move=> *; rewrite subrr.
- by move=> *; rewrite opn_one opn_zero // fro0 expr0n expr1n mul0r !add0r mulr1 ltr01.
- by move=> *; rewrite !scaler0 !subrr !addr0; exact: fro0.
- by move=> *; rewrite subrr fro0 subr0 mulr1 fro_ge0.
- by move=> *; rewrite subr_ge0 lerN10.
- by move=> *; rewrite oppr0 add0r subrr.
- by move=> *; rewrite opn_one addNr.
- by move=> *; rewrite opn_zero // oppr0 add0r ler01.
- by move=> *; rewrite /first; ring.
- by move=> *; rewrite /growth; ring.
Qed.
Print Assumptions world.
