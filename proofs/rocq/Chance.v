(** * Times and chance

    Sums and least values over the times 1, ..., T, and expectations over finitely many outcomes given the past.

    - [total T x], [before t x]: the sum of x 1, ..., x T; the sum of x 1, ..., x (t - 1).
    - [least T x]: the least of x 1, ..., x T.
    - [space R]: finitely many outcomes, each with a positive chance, and what is known at each time.
    - [past t], [nothing]: which outcomes look alike at time t, and before everything.
    - [expect g x w], [mean g X w]: the expectation of a number or a matrix given g, seen from the outcome w.
    - [knows g x]: what looks alike for g has the same x, so x is a constant for [expect g]. *)
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

Lemma total_ge0 T x : (forall i, (1 <= i <= T)%N -> 0 <= x i) -> 0 <= total T x.
Proof. by move=> x_ge0; rewrite /total big_nat; apply: sumr_ge0. Qed.

Lemma total_gt0 T x : (0 < T)%N -> (forall i, (1 <= i <= T)%N -> 0 < x i) -> 0 < total T x.
Proof.
case: T => // T _ x_gt0; rewrite /total big_nat_recr //= ltr_wpDl ?x_gt0 ?leqnn //.
by apply: total_ge0 => i /andP[i_gt0 i_le]; rewrite ltW // x_gt0 // i_gt0 leqW.
Qed.

Lemma total_eq T x y : (forall i, (1 <= i <= T)%N -> x i = y i) -> total T x = total T y.
Proof. by move=> xy; apply: eq_big_nat. Qed.

Lemma totalD T x y : total T (fun i => x i + y i) = total T x + total T y.
Proof. exact: big_split. Qed.

Lemma totalZ T c x : total T (fun i => c * x i) = c * total T x.
Proof. by rewrite /total mulr_sumr. Qed.

Lemma total1 T : total T (fun=> 1) = T%:R.
Proof. by rewrite /total sumr_const_nat subn1. Qed.

Lemma telescope T x : total T (fun i => x i.+1 - x i) = x T.+1 - x 1%N.
Proof. exact: telescope_sumr. Qed.

Lemma least_le T x i : (1 <= i <= T)%N -> least T x <= x i.
Proof.
case: i => [|[|i]] // i_le; first exact: bigmin_le_id.
have /(sub_bigmin_seq predT x) /le_trans -> // : {subset [:: i.+2] <= index_iota 2 T.+1}.
  by move=> j; rewrite inE mem_index_iota => /eqP ->.
by rewrite big_seq1_id ge_min lexx.
Qed.

Lemma least_ge T x c : (0 < T)%N -> (forall i, (1 <= i <= T)%N -> c <= x i) -> c <= least T x.
Proof.
move=> T_gt0 x_ge; rewrite /least big_nat; apply: le_bigmin; first exact: x_ge.
by move=> i /andP[/ltnW i_gt0 i_le]; apply: x_ge; rewrite i_gt0.
Qed.

Lemma least_gt T x c : (0 < T)%N -> (forall i, (1 <= i <= T)%N -> c < x i) -> c < least T x.
Proof.
move=> T_gt0 x_gt; rewrite /least big_nat; apply: lt_bigmin; first exact: x_gt.
by move=> i /andP[/ltnW i_gt0 i_le]; apply: x_gt; rewrite i_gt0.
Qed.
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

Lemma past_coarser s t : (s <= t)%N -> coarser (past s) (past t).
Proof. by move=> st w v /eqP /(label_finer st) /eqP. Qed.

Lemma nothing_coarser g : coarser nothing g.
Proof. by []. Qed.

(** The relations in use are equivalences. *)
Definition a_past (g : rel O) := [/\ reflexive g, symmetric g & transitive g].

Lemma past_is_past t : a_past (past t).
Proof. by split=> [w|w v|v w u /eqP wv /eqP vu]; rewrite /past ?eqxx // 1?eq_sym // wv vu. Qed.

Lemma nothing_is_past : a_past nothing.
Proof. by []. Qed.

(** Outcomes that look alike look alike to the same outcomes. *)
Lemma alike g w v : a_past g -> g w v -> g w =1 g v.
Proof. by case=> _ gS gT wv u; apply/idP/idP; apply: gT; rewrite // gS. Qed.

Lemma weight_gt0 g w : a_past g -> 0 < weight g w.
Proof.
case=> gR _ _; rewrite /weight (bigD1 w) //= ltr_wpDr ?chance_gt0 // sumr_ge0 // => v _.
exact/ltW/chance_gt0.
Qed.

(** The entries of a mean are expectations. *)
Lemma meanE g m n (X : O -> 'M[R]_(m, n)) w i j : mean g X w i j = expect g (fun v => X v i j) w.
Proof. by rewrite mxE summxE mulrC; congr (_ / _); apply: eq_bigr => v _; rewrite mxE. Qed.

Section Given.
Variables (g : rel O) (gP : a_past g).
Implicit Types x y : O -> R.
(** Every lemma takes gP, needed or not, so that all are applied in the same way. *)
Set Default Proof Using "Type*".

(** Only the outcomes that look like w matter. *)
Lemma expect_alike x y w : (forall v, g w v -> x v = y v) -> expect g x w = expect g y w.
Proof. by move=> xy; congr (_ / _); apply: eq_bigr => v /xy ->. Qed.

Lemma expect_ge0 x w : (forall v, 0 <= x v) -> 0 <= expect g x w.
Proof.
move=> x_ge0; rewrite /expect divr_ge0 ?(ltW (weight_gt0 w gP)) // sumr_ge0 // => v _.
by rewrite mulr_ge0 // ltW // chance_gt0.
Qed.

Lemma expect_gt0 x w : (forall v, 0 < x v) -> 0 < expect g x w.
Proof.
have gR : reflexive g by case: gP.
move=> x_gt0; rewrite /expect divr_gt0 ?weight_gt0 // (bigD1 w) //=.
rewrite ltr_wpDr ?mulr_gt0 ?chance_gt0 // sumr_ge0 // => v _.
by rewrite mulr_ge0 // ltW // chance_gt0.
Qed.

Lemma expect_eq x y w : (forall v, x v = y v) -> expect g x w = expect g y w.
Proof. by move=> xy; apply: expect_alike. Qed.

Lemma expectD x y w : expect g (fun v => x v + y v) w = expect g x w + expect g y w.
Proof. by rewrite /expect -mulrDl -big_split; under eq_bigr do rewrite mulrDr. Qed.

(** What is known is taken out. *)
Lemma expect_known k x w : knows g k -> expect g (fun v => k v * x v) w = k w * expect g x w.
Proof.
move=> kk; rewrite (@expect_alike _ (fun v => k w * x v)) => [|v /kk -> //].
by rewrite /expect mulrA mulr_sumr; under eq_bigr do rewrite mulrCA.
Qed.

Lemma expect_of_known k w : knows g k -> expect g k w = k w.
Proof.
move=> kk; rewrite (@expect_alike _ (fun v => k v * 1)) => [|v _]; last by rewrite mulr1.
rewrite expect_known // /expect; under eq_bigr do rewrite mulr1.
by rewrite divff ?mulr1 // gt_eqF // weight_gt0.
Qed.

Lemma expect_knows h x : coarser g h -> knows h (expect g x).
Proof. by move=> gh w v /gh /(alike gP) wv; rewrite /expect /weight !(eq_bigl _ _ wv). Qed.

Lemma expect_total T (x : nat -> O -> R) w :
  expect g (fun v => total T (fun i => x i v)) w = total T (fun i => expect g (x i) w).
Proof.
rewrite /expect /total -mulr_suml exchange_big /=.
by under eq_bigr do rewrite mulr_sumr.
Qed.

Lemma mean_knows h m n (X : O -> 'M[R]_(m, n)) : coarser g h -> knows h (mean g X).
Proof. by move=> gh w v hwv; apply/matrixP => i j; rewrite !meanE; apply: expect_knows hwv. Qed.

Lemma mean_eq m n (X Y : O -> 'M[R]_(m, n)) w : (forall v, X v = Y v) -> mean g X w = mean g Y w.
Proof. by move=> XY; apply/matrixP => i j; rewrite !meanE; apply: expect_eq => v; rewrite XY. Qed.

Lemma meanD m n (X Y : O -> 'M[R]_(m, n)) w : mean g (fun v => X v + Y v) w = mean g X w + mean g Y w.
Proof.
apply/matrixP => i j; rewrite addE !meanE -expectD.
by apply: expect_eq => v; rewrite addE.
Qed.

Lemma mean_known k m n p q (L : O -> 'M[R]_(m, n)) (X : O -> 'M[R]_(n, p)) (M : O -> 'M[R]_(p, q)) w :
  knows g k -> knows g L -> knows g M ->
  mean g (fun v => k v *: (L v *m X v *m M v)) w = k w *: (L w *m mean g X w *m M w).
Proof.
move=> kk kL kM; rewrite /mean -scalemxAr -scalemxAl mulmx_sumr mulmx_suml.
rewrite [RHS]scalerA mulrC -scalerA; congr (_ *: _); rewrite scaler_sumr; apply: eq_bigr => v wv.
by rewrite -(kk _ _ wv) -(kL _ _ wv) -(kM _ _ wv) -scalemxAr -scalemxAl !scalerA mulrC.
Qed.

Lemma mean_of_known m n (X : O -> 'M[R]_(m, n)) w : knows g X -> mean g X w = X w.
Proof.
move=> kX; apply/matrixP => i j; rewrite meanE.
by apply: (@expect_of_known (fun v => X v i j)) => u v /kX ->.
Qed.

Lemma mean_tr m n (X : O -> 'M[R]_(m, n)) w : mean g (fun v => (X v)^T) w = (mean g X w)^T.
Proof.
apply/matrixP => i j; rewrite meanE [RHS]mxE meanE.
by apply: expect_eq => v; rewrite mxE.
Qed.

(** The tower property. The outcome u counts for all v that look like u to h, and their chances sum to u's weight. *)
Lemma tower h x w : a_past h -> coarser g h -> expect g (expect h x) w = expect g x w.
Proof.
move=> hP gh; have [_ hS _] := hP; have [_ gS gT] := gP; congr (_ / _).
under eq_bigr do rewrite mulrA mulr_sumr mulr_suml.
rewrite (exchange_big_dep (g w)) /= => [|v u wv /gh]; last exact: gT.
apply: eq_bigr => u wu.
transitivity (\sum_(v | h u v) chance v * (chance u * x u / weight h u)).
  apply: eq_big => [v|v /andP[_ /(alike hP) vu]].
    by rewrite [h v u]hS andb_idl // => /gh; apply: gT.
  by rewrite -mulrA /weight (eq_bigl _ _ vu).
by rewrite -mulr_suml mulrC divfK // gt_eqF // weight_gt0.
Qed.

Lemma mean_tower h m n (X : O -> 'M[R]_(m, n)) w : a_past h -> coarser g h -> mean g (mean h X) w = mean g X w.
Proof.
move=> hP gh; apply/matrixP => i j; rewrite !meanE -[RHS](tower _ _ hP gh).
by apply: expect_eq => v; rewrite meanE.
Qed.

(** The expectation of a trace that is linear in the one unknown factor. *)
Lemma expect_trace m n p (L : O -> 'M[R]_(m, n)) (X : O -> 'M[R]_(n, p)) (M : O -> 'M[R]_(p, m)) w :
  knows g L -> knows g M ->
  expect g (fun v => \tr (L v *m X v *m M v)) w = \tr (L w *m mean g X w *m M w).
Proof.
move=> kL kM; rewrite -[L w *m _ *m _]scale1r -(@mean_known (fun=> 1)) //.
rewrite /mean mxtraceZ mulrC raddf_sum /=; congr (_ / _).
by apply: eq_bigr => v _; rewrite scale1r mxtraceZ.
Qed.
End Given.
End Expectations.
