(** What exported derivations use: the three parts of the library, and the lemmas and tactics that close their steps. *)
From mathcomp Require Import all_ssreflect all_algebra ring lra.
From mathcomp Require Import boolp classical_sets reals.
From Coq Require Lia.
From boundcheck Require Export Norms Chance Calculus.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(** Equality of polynomials, and of matrices that are polynomials in letters and transposes. *)
Ltac algebra := first [ring | by field].
Ltac matrices := mx.
(** An inequality of times. *)
Ltac times :=
  repeat match goal with H : is_true (_ && _) |- _ => move/andP: H => [? ?] end;
  repeat match goal with H : is_true (_ <= _)%N |- _ => move/ssrnat.leP: H => H end;
  apply/ssrnat.leP; Lia.lia.

Section Signs.
Variable R : realType.
Implicit Types m p q x y z : R.
Lemma cast_ge x y : x = y -> 0 <= x -> 0 <= y. Proof. by move=> ->. Qed.
Lemma cast_gt x y : x = y -> 0 < x -> 0 < y. Proof. by move=> ->. Qed.
Lemma cast_eq x y : x = y -> x = 0 -> y = 0. Proof. by move=> ->. Qed.
Lemma sub_ge x y : x <= y -> 0 <= y - x. Proof. by rewrite subr_ge0. Qed.
Lemma sub_gt x y : x < y -> 0 < y - x. Proof. by rewrite subr_gt0. Qed.
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

(** Sums over times, and expectations, term by term: what is constant or known is taken out. *)
Set Default Proof Using "All".
Lemma first_time T : (0 < T)%N -> (1 <= 1 <= T)%N. Proof. by []. Qed.
Lemma last_time T : (0 < T)%N -> (1 <= T <= T)%N. Proof. by move=> ->; rewrite leqnn. Qed.
Lemma known_later (R : realType) (S : space R) U s u (f : outcome S -> U) :
  knows (past s) f -> (s <= u)%N -> knows (past u) f.
Proof. by move=> k c w1 v h; apply: k; apply: (past_coarser c h). Qed.
Section Sums.
Variables (R : realType) (T : nat).
Implicit Types x y : nat -> R.
Lemma tot_eq x y : (forall i, (1 <= i <= T)%N -> x i = y i) -> total T x = total T y. Proof. exact: total_eq. Qed.
Lemma tot_last (k : R) x (a : R) : total T x = a -> total T (fun i => k * x i) = k * a. Proof. by move=> <-; rewrite totalZ. Qed.
Lemma tot_cons (k : R) x y (a b : R) : total T x = a -> total T y = b -> total T (fun i => k * x i + y i) = k * a + b.
Proof. by move=> <- <-; rewrite totalD totalZ. Qed.
Lemma tot_one : total T (fun=> 1) = T%:R :> R. Proof. exact: total1. Qed.
Lemma tot_zero x : (forall i, (1 <= i <= T)%N -> x i = 0) -> total T x = 0.
Proof. by move=> e; rewrite (tot_eq e) /total big1. Qed.
Lemma least_same x y : (0 < T)%N -> (forall i, (1 <= i <= T)%N -> x i = y i) -> least T x = least T y.
Proof.
move=> h e; rewrite /least (e 1%N) //; apply: eq_big_nat => i /andP[lo hi].
by apply: e; rewrite (ltnW lo).
Qed.
Variables (t : nat) (rt : (1 <= t <= T)%N).
Lemma pre_eq x y : (forall i, (1 <= i <= T)%N -> x i = y i) -> before t x = before t y.
Proof.
move=> e; apply: eq_big_nat => i /andP[lo hi].
by apply: e; rewrite lo /= (leq_trans (ltnW hi)) //; case/andP: rt.
Qed.
Lemma pre_last (k : R) x (a : R) : before t x = a -> before t (fun i => k * x i) = k * a.
Proof. by move=> <-; rewrite /before mulr_sumr. Qed.
Lemma pre_cons (k : R) x y (a b : R) : before t x = a -> before t y = b -> before t (fun i => k * x i + y i) = k * a + b.
Proof. by move=> <- <-; rewrite /before mulr_sumr -big_split. Qed.
Lemma pre_one : before t (fun=> 1) = t%:R - 1 :> R.
Proof. by rewrite /before sumr_const_nat natrB //; case/andP: rt. Qed.
Lemma pre_zero x : (forall i, (1 <= i <= T)%N -> x i = 0) -> before t x = 0.
Proof. by move=> e; rewrite (pre_eq e) /before big1. Qed.
Lemma time_ge1 : 1 <= t%:R :> R. Proof. by rewrite ler1n; case/andP: rt. Qed.
Lemma time_leT : t%:R <= T%:R :> R. Proof. by rewrite ler_nat; case/andP: rt. Qed.
End Sums.

Section Expected.
Variables (R : realType) (S : space R) (g : rel (outcome S)) (gP : a_past g) (w : outcome S).
Implicit Types x y k : outcome S -> R.
Ltac by_library l := first [exact: l | by apply: l | apply: l; exact: gP].
Lemma ex_eq x y : (forall v, x v = y v) -> expect g x w = expect g y w. Proof. move=> e; by_library (@expect_eq R S g). Qed.
Lemma ex_last k x (a : R) : knows g k -> expect g x w = a -> expect g (fun v => k v * x v) w = k w * a.
Proof. by move=> h <-; apply: expect_known. Qed.
Lemma ex_cons k x y (a b : R) : knows g k -> expect g x w = a -> expect g y w = b ->
  expect g (fun v => k v * x v + y v) w = k w * a + b.
Proof. by move=> h <- <-; rewrite (expectD (g := g)) // (expect_known (g := g)). Qed.
Lemma ex_one : expect g (fun=> 1) w = 1.
Proof. by apply: (expect_of_known (g := g)). Qed.
Lemma ex_zero x : (forall v, x v = 0) -> expect g x w = 0.
Proof. by move=> e; rewrite (ex_eq e) (expect_of_known (g := g)). Qed.
Lemma ex_ge x : (forall v, 0 <= x v) -> 0 <= expect g x w. Proof. move=> e; by_library (@expect_ge0 R S g). Qed.
Lemma ex_gt x : (forall v, 0 < x v) -> 0 < expect g x w. Proof. move=> e; by_library (@expect_gt0 R S g). Qed.
Lemma ex_total T (x : nat -> outcome S -> R) :
  expect g (fun v => total T (fun i => x i v)) w = total T (fun i => expect g (x i) w).
Proof. by_library (@expect_total R S g). Qed.
Lemma ex_tower h (hP : a_past h) x : coarser g h -> expect g (expect h x) w = expect g x w.
Proof. by move=> c; apply: tower. Qed.
Lemma ex_knows h x : coarser g h -> knows h (expect g x). Proof. by move=> c; apply: expect_knows. Qed.
Lemma mean_tower_ h (hP : a_past h) m n (X : outcome S -> 'M[R]_(m, n)) : coarser g h ->
  mean g (mean h X) w = mean g X w.
Proof. by move=> c; apply: mean_tower. Qed.
Lemma ex_mean_tower h (hP : a_past h) m n (X : outcome S -> 'M[R]_(m, n)) : coarser g h ->
  mean g (mean h X) w = mean g X w.
Proof. exact: mean_tower_. Qed.
Lemma mean_knows_ h m n (X : outcome S -> 'M[R]_(m, n)) : coarser g h -> knows h (mean g X).
Proof. by move=> c; apply: mean_knows. Qed.
Lemma ex_trace n (X : outcome S -> 'M[R]_n) Y : mean g X w = Y -> expect g (fun v => \tr (X v)) w = \tr Y.
Proof.
move=> <-; have h1 : knows g (fun=> 1%:M : 'M[R]_n) by [].
have -> : (fun v => \tr (X v)) = (fun v => \tr (1%:M *m X v *m 1%:M)).
  by apply/boolp.funext => v; rewrite mul1mx mulmx1.
by rewrite (expect_trace (g := g)) // mul1mx mulmx1.
Qed.
Lemma ex_trace_times m n (X : outcome S -> 'M[R]_(m, n)) (M : outcome S -> 'M[R]_(n, m)) Y : knows g M ->
  mean g X w = Y -> expect g (fun v => \tr (X v *m M v)) w = \tr (Y *m M w).
Proof.
move=> k <-; have h1 : knows g (fun=> 1%:M : 'M[R]_m) by [].
have -> : (fun v => \tr (X v *m M v)) = (fun v => \tr (1%:M *m X v *m M v)).
  by apply/boolp.funext => v; rewrite mul1mx.
by rewrite (expect_trace (g := g)) // mul1mx.
Qed.
End Expected.

(** Induction over the times, from the statement at one time alone to that at the next. *)
Lemma by_induction T (O : Type) (P : nat -> O -> Prop) :
  (forall w, P 1%N w) ->
  (forall t0, (1 <= t0 <= T)%N -> (forall t w, (1 <= t <= T)%N -> t = t0 -> P t w) -> forall w, P t0.+1 w) ->
  forall t w, (1 <= t <= T)%N -> P t w.
Proof.
move=> first next; case=> [//|t] w /andP[_]; elim: t w => [|t IH] w le; first exact: first.
apply: next; first by rewrite /= ltnW.
by move=> s v _ ->; apply: IH; rewrite ltnW.
Qed.
Lemma next_time (R : realType) (t : nat) : t.+1%:R = 1 + t%:R :> R. Proof. by rewrite mulrS. Qed.
(** Sums over the times before the first, the next and the last time. *)
Lemma before_first (R : realType) (x : nat -> R) : before 1 x = 0. Proof. by rewrite /before big_geq. Qed.
Lemma before_next (R : realType) (t : nat) (x : nat -> R) : (1 <= t)%N -> before t.+1 x = before t x + x t.
Proof. by move=> h; rewrite /before big_nat_recr. Qed.
Lemma before_last (R : realType) T (x : nat -> R) : (0 < T)%N -> before T x = total T x - x T.
Proof. by move=> h; rewrite /total /before big_nat_recr //= addrK. Qed.
