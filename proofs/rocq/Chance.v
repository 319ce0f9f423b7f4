(** Sums over times, least values, and expectations over finitely many outcomes given the past. *)
From mathcomp Require Import all_ssreflect all_algebra ring lra.
From mathcomp Require Import classical_sets reals.
From boundcheck Require Import Norms.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Times.
Variable R : realType.
Implicit Types x y : nat -> R.
Definition total (T : nat) x : R := \sum_(1 <= i < T.+1) x i.
Definition before (t : nat) x : R := \sum_(1 <= i < t) x i.
Definition least (T : nat) x : R := \big[Num.min/x 1%N]_(2 <= i < T.+1) x i.
Lemma total_ge0 T x : (forall i, (1 <= i <= T)%N -> 0 <= x i) -> 0 <= total T x. Admitted.
Lemma total_gt0 T x : (0 < T)%N -> (forall i, (1 <= i <= T)%N -> 0 < x i) -> 0 < total T x. Admitted.
Lemma total_eq T x y : (forall i, (1 <= i <= T)%N -> x i = y i) -> total T x = total T y. Admitted.
Lemma totalD T x y : total T (fun i => x i + y i) = total T x + total T y. Admitted.
Lemma totalZ T c x : total T (fun i => c * x i) = c * total T x. Admitted.
Lemma total1 T : total T (fun=> 1) = T%:R. Admitted.
Lemma telescope T x : total T (fun i => x i.+1 - x i) = x T.+1 - x 1%N. Admitted.
Lemma least_le T x i : (1 <= i <= T)%N -> least T x <= x i. Admitted.
Lemma least_ge T x c : (0 < T)%N -> (forall i, (1 <= i <= T)%N -> c <= x i) -> c <= least T x. Admitted.
Lemma least_gt T x c : (0 < T)%N -> (forall i, (1 <= i <= T)%N -> c < x i) -> c < least T x. Admitted.
End Times.

(** A finite probability space, and what is known at each time: two outcomes with one label look alike then. *)
Record space (R : realType) := Space {
  outcome : finType;
  chance : outcome -> R;
  chance_gt0 : forall w, 0 < chance w;
  chance_sum : \sum_w chance w = 1;
  label : nat -> outcome -> nat;
  label_finer : forall s t w v, (s <= t)%N -> label t w = label t v -> label s w = label s v }.

Section Expectations.
Variables (R : realType) (S : space R).
Local Notation O := (outcome S).
(** The past is a relation between outcomes that look alike. *)
Definition past (t : nat) : rel O := fun w v => label t w == label t v.
Definition nothing : rel O := fun _ _ => true.
Definition weight (g : rel O) (w : O) : R := \sum_(v | g w v) chance v.
Definition expect (g : rel O) (x : O -> R) (w : O) : R := (\sum_(v | g w v) chance v * x v) / weight g w.
Definition mean (g : rel O) m n (X : O -> 'M[R]_(m, n)) (w : O) : 'M[R]_(m, n) :=
  (weight g w)^-1 *: \sum_(v | g w v) chance v *: X v.
Definition knows (g : rel O) (U : Type) (x : O -> U) := forall w v, g w v -> x w = x v.
(** [coarser g h]: what g knows h knows. *)
Definition coarser (g h : rel O) := forall w v, h w v -> g w v.
Lemma past_coarser s t : (s <= t)%N -> coarser (past s) (past t). Admitted.
Lemma nothing_coarser g : coarser nothing g. Admitted.
(** The relations in use are equivalences. *)
Definition a_past (g : rel O) := [/\ reflexive g, symmetric g & transitive g].
Lemma past_is_past t : a_past (past t). Admitted.
Lemma nothing_is_past : a_past nothing. Admitted.

Section Given.
Variables (g : rel O) (gP : a_past g).
Implicit Types x y : O -> R.
Lemma expect_ge0 x w : (forall v, 0 <= x v) -> 0 <= expect g x w. Admitted.
Lemma expect_gt0 x w : (forall v, 0 < x v) -> 0 < expect g x w. Admitted.
Lemma expect_eq x y w : (forall v, x v = y v) -> expect g x w = expect g y w. Admitted.
Lemma expectD x y w : expect g (fun v => x v + y v) w = expect g x w + expect g y w. Admitted.
(** What is known is taken out. *)
Lemma expect_known k x w : knows g k -> expect g (fun v => k v * x v) w = k w * expect g x w. Admitted.
Lemma expect_of_known k w : knows g k -> expect g k w = k w. Admitted.
Lemma expect_knows h x : coarser g h -> knows h (expect g x). Admitted.
Lemma expect_total T (x : nat -> O -> R) w :
  expect g (fun v => total T (fun i => x i v)) w = total T (fun i => expect g (x i) w). Admitted.
Lemma tower h x w : a_past h -> coarser g h -> expect g (expect h x) w = expect g x w. Admitted.
Lemma mean_knows h m n (X : O -> 'M[R]_(m, n)) : coarser g h -> knows h (mean g X). Admitted.
Lemma mean_eq m n (X Y : O -> 'M[R]_(m, n)) w : (forall v, X v = Y v) -> mean g X w = mean g Y w. Admitted.
Lemma meanD m n (X Y : O -> 'M[R]_(m, n)) w : mean g (fun v => X v + Y v) w = mean g X w + mean g Y w. Admitted.
Lemma mean_known k m n p q (L : O -> 'M[R]_(m, n)) (X : O -> 'M[R]_(n, p)) (M : O -> 'M[R]_(p, q)) w :
  knows g k -> knows g L -> knows g M ->
  mean g (fun v => k v *: (L v *m X v *m M v)) w = k w *: (L w *m mean g X w *m M w). Admitted.
Lemma mean_of_known m n (X : O -> 'M[R]_(m, n)) w : knows g X -> mean g X w = X w. Admitted.
Lemma mean_tr m n (X : O -> 'M[R]_(m, n)) w : mean g (fun v => (X v)^T) w = (mean g X w)^T. Admitted.
Lemma mean_tower h m n (X : O -> 'M[R]_(m, n)) w : a_past h -> coarser g h -> mean g (mean h X) w = mean g X w. Admitted.
(** The expectation of a trace that is linear in the one unknown factor. *)
Lemma expect_trace m n p (L : O -> 'M[R]_(m, n)) (X : O -> 'M[R]_(n, p)) (M : O -> 'M[R]_(p, m)) w :
  knows g L -> knows g M ->
  expect g (fun v => \tr (L v *m X v *m M v)) w = \tr (L w *m mean g X w *m M w). Admitted.
End Given.
End Expectations.
