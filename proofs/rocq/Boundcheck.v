(** What exported derivations use: the three parts of the library, and the lemmas and tactics that close their steps. *)
From mathcomp Require Import all_ssreflect all_algebra ring lra.
From mathcomp Require Import classical_sets reals.
From Coq Require Lia.
From boundcheck Require Export Norms Chance Calculus.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(** Equality of polynomials, and of matrices that are polynomials in letters and transposes. *)
Ltac algebra := first [ring | by field].
Ltac words :=
  rewrite ?(mul0mx, mulmx0, trmx0, scaler0, scale0r, linearD, linearN, linearZ, linearB, trmx_mul, trmxK,
    mulmxDl, mulmxDr, mulmxBl, mulmxBr, mulmxN, mulNmx) /=;
  rewrite -?(scalemxAl, scalemxAr) ?mulmxA.
Ltac matrices :=
  do 3 words; apply/matrixP => i j; rewrite ?(addE, oppE, scaleE, zeroE); algebra.
(** An inequality of times. *)
Ltac times :=
  repeat match goal with H : is_true (_ && _) |- _ => move/andP: H => [? ?] end;
  repeat match goal with H : is_true (_ <= _)%N |- _ => move/leP: H => H end;
  apply/leP; Lia.lia.

Section Signs.
Variable R : realType.
Implicit Types m p q x y z : R.
Lemma cast_ge x y : x = y -> 0 <= x -> 0 <= y. Proof. by move=> ->. Qed.
Lemma cast_gt x y : x = y -> 0 < x -> 0 < y. Proof. by move=> ->. Qed.
Lemma cast_eq x y : x = y -> x = 0 -> y = 0. Proof. by move=> ->. Qed.
Lemma sub_ge x y : x <= y -> 0 <= y - x. Proof. by rewrite subr_ge0. Qed.
Lemma sub_eq x y : x = y -> y - x = 0. Proof. by move=> ->; rewrite subrr. Qed.
Lemma add_nn x y : 0 <= x -> 0 <= y -> 0 <= x + y. Proof. exact: addr_ge0. Qed.
Lemma add_pn x y : 0 < x -> 0 <= y -> 0 < x + y. Proof. by move=> h k; apply: ltr_pwDl. Qed.
Lemma add_np x y : 0 <= x -> 0 < y -> 0 < x + y. Proof. by move=> h k; apply: ltr_wpDl. Qed.
Lemma add_zz x y : x = 0 -> y = 0 -> x + y = 0. Proof. by move=> -> ->; rewrite addr0. Qed.
Lemma times_zero x y : y = 0 -> x * y = 0. Proof. by move=> ->; rewrite mulr0. Qed.
Lemma times_zero_ge x y : y = 0 -> 0 <= x * y. Proof. by move=> ->; rewrite mulr0. Qed.
Lemma square_gt x : x < 0 -> 0 < x ^+ 2. Proof. by move=> h; rewrite expr2 nmulr_rgt0. Qed.
(** From m * p = q. *)
Lemma divide_ge m p q : m * p = q -> 0 < m -> 0 <= q -> 0 <= p.
Proof. by move=> <- h; rewrite pmulr_rge0. Qed.
Lemma divide_gt m p q : m * p = q -> 0 <= m -> 0 < q -> 0 < p.
Proof.
move=> <-; rewrite le0r => /orP[/eqP ->|h]; first by rewrite mul0r ltxx.
by rewrite pmulr_rgt0.
Qed.
Lemma divide_eq m p q : m * p = q -> 0 < m -> q = 0 -> p = 0.
Proof. by move=> <- h /eqP; rewrite mulf_eq0 gt_eqF //= => /eqP. Qed.
Lemma divide_square m p q : m * p = q -> 0 <= m -> (p < 0 -> 0 < q) -> 0 <= p.
Proof.
move=> e h k; rewrite leNgt; apply/negP => n; move: (k n); rewrite -e ltNge.
by move/negP; apply; rewrite mulr_ge0_le0 // ltW.
Qed.
End Signs.

Section Norms_of_normal_forms.
Variable R : realType.
Section One.
Context {V : lmodType R} {i : inner V}.
Lemma fro_same (x n : V) : x = n -> fro x = fro n. Proof. by move=> ->. Qed.
Lemma fro_opposite (x n : V) : x = - n -> fro x = fro n.
Proof. by move=> ->; rewrite -scaleN1r froZ normrN1 mul1r. Qed.
Lemma fro_scaled (x n : V) (c : R) : 0 < c -> x = c *: n -> fro x = c * fro n.
Proof. by move=> h ->; rewrite froZ gtr0_norm. Qed.
Lemma fro_scaled_back (x n : V) (c : R) : 0 < c -> x = - c *: n -> fro x = c * fro n.
Proof. by move=> h ->; rewrite froZ normrN gtr0_norm. Qed.
Lemma fro_zero (x : V) : x = 0 -> fro x = 0.
Proof. by move=> ->; rewrite -(scale0r 0) froZ normr0 mul0r. Qed.
Lemma fro_homogeneous (x : V) (c : R) : 0 <= c -> fro (c *: x) = c * fro x.
Proof. by move=> h; rewrite froZ ger0_norm. Qed.
Lemma fro_equal (x y : V) : fro (x - y) = 0 -> x = y.
Proof. by move/fro_eq0/eqP; rewrite subr_eq0 => /eqP. Qed.
End One.
Lemma opn_same m n (x y : 'M[R]_(m, n)) : x = y -> opn x = opn y. Proof. by move=> ->. Qed.
Lemma opn_opposite m n (x y : 'M[R]_(m, n)) : x = - y -> opn x = opn y.
Proof. by move=> ->; rewrite -scaleN1r opnZ normrN1 mul1r. Qed.
Lemma opn_scaled m n (x y : 'M[R]_(m, n)) (c : R) : 0 < c -> x = c *: y -> opn x = c * opn y.
Proof. by move=> h ->; rewrite opnZ gtr0_norm. Qed.
Lemma opn_scaled_back m n (x y : 'M[R]_(m, n)) (c : R) : 0 < c -> x = - c *: y -> opn x = c * opn y.
Proof. by move=> h ->; rewrite opnZ normrN gtr0_norm. Qed.
Lemma opn_zero m n (x : 'M[R]_(m, n)) : x = 0 -> opn x = 0.
Proof. by move=> ->; rewrite -(scale0r 0) opnZ normr0 mul0r. Qed.
Lemma opn_homogeneous m n (x : 'M[R]_(m, n)) (c : R) : 0 <= c -> opn (c *: x) = c * opn x.
Proof. by move=> h; rewrite opnZ ger0_norm. Qed.
(** The norm of a pair, from those of its parts. *)
Lemma fro_pair_sq {U V : lmodType R} {iU : inner U} {iV : inner V} (x : U) (y : V) :
  fro (x, y) ^+ 2 = fro x ^+ 2 + fro y ^+ 2.
Proof. by rewrite !fro_sq. Qed.
Section Two.
Context {U V : lmodType R} {iU : inner U} {iV : inner V}.
Context {U' V' : lmodType R} {iU' : inner U'} {iV' : inner V'}.
Lemma fro_pair (x : U) (y : V) (n : U') (k : V') (c : R) : 0 < c ->
  fro x = c * fro n -> fro y = c * fro k -> fro (x, y) = c * fro (n, k).
Proof.
move=> h ex ey; apply/eqP; rewrite -(@eqrXn2 _ 2) ?fro_ge0 ?mulr_ge0 ?fro_ge0 ?ltW //.
by rewrite exprMn !fro_pair_sq ex ey !exprMn mulrDr.
Qed.
Lemma fro_pair1 (x : U) (y : V) (n : U') (k : V') :
  fro x = fro n -> fro y = fro k -> fro (x, y) = fro (n, k).
Proof. by move=> ex ey; rewrite (@fro_pair _ _ n k 1) ?mul1r. Qed.
End Two.
Lemma pair_equal U V (x x' : U) (y y' : V) : x = x' -> y = y' -> (x, y) = (x', y'). Proof. by move=> -> ->. Qed.
End Norms_of_normal_forms.

Section More.
Variable R : realType.
Lemma one_le (n : nat) : (0 < n)%N -> 1 <= n%:R :> R. Proof. by rewrite ler1n. Qed.
Lemma vanishes (x y : R) : y = - x ^+ 2 -> 0 <= y -> x = 0.
Proof. by move=> ->; rewrite oppr_ge0 => h; apply/eqP; rewrite -sqrf_eq0 eq_le h sqr_ge0. Qed.
Lemma eq_ge0 (x : R) : x = 0 -> 0 <= x. Proof. by move=> ->. Qed.
Lemma traceD n (A B : 'M[R]_n) : \tr (A + B) = \tr A + \tr B. Proof. exact: mxtraceD. Qed.
Lemma traceN n (A : 'M[R]_n) : \tr (- A) = - \tr A. Proof. exact: raddfN. Qed.
Lemma traceB n (A B : 'M[R]_n) : \tr (A - B) = \tr A - \tr B. Proof. by rewrite traceD traceN. Qed.
Lemma traceZ n c (A : 'M[R]_n) : \tr (c *: A) = c * \tr A. Proof. exact: mxtraceZ. Qed.
End More.

Section Analysis.
Variable R : realType.
Context {U V : lmodType R} {iU : inner U} {iV : inner V}.
Lemma gradient_from_slopes (g k : V) : (forall h, dot g h = dot k h) -> g = k.
Proof.
move=> e; apply/eqP; rewrite -subr_eq0; apply/eqP; apply: dot_eq0.
by rewrite dotDl e -[- k]scaleN1r dotZl -[X in _ + X]/(_ * _) mulN1r subrr.
Qed.
(** A curve that is linear, and one that is quadratic. *)
Lemma chain1 (F : U -> R) (f : V -> R) (P : U -> V) (x h gx : U) (gy D : V) :
  gradient_at F x gx -> gradient_at f (P x) gy -> (forall u, F u = f (P u)) ->
  (forall s : R, P (x + s *: h) = P x + s *: D) -> dot gx h = dot gy D.
Proof.
move=> gF gf e line; apply: (chain_line (Q := [::]) gF gf e) => s.
by rewrite big_ord0 scaler0 addr0.
Qed.
Lemma chain2 (F : U -> R) (f : V -> R) (P : U -> V) (x h gx : U) (gy D Q : V) :
  gradient_at F x gx -> gradient_at f (P x) gy -> (forall u, F u = f (P u)) ->
  (forall s : R, P (x + s *: h) = P x + s *: D + s ^+ 2 *: Q) -> dot gx h = dot gy D.
Proof.
move=> gF gf e line; apply: (chain_line (Q := [:: Q]) gF gf e) => s.
by rewrite big_ord1 expr0 scale1r.
Qed.
Lemma descent_up (a b : R) : `|a| <= b -> a <= b. Proof. exact: le_trans (ler_norm a). Qed.
Lemma descent_down (a b : R) : `|a| <= b -> - a <= b. Proof. by rewrite -normrN; apply: le_trans (ler_norm _). Qed.
End Analysis.
