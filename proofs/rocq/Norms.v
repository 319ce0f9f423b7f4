(** Real inner product spaces, Frobenius norms of tuples of matrices, and spectral norms. *)
From mathcomp Require Import all_ssreflect all_algebra ring lra.
From mathcomp Require Import classical_sets reals.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope classical_set_scope.
Local Open Scope ring_scope.

Class inner (R : realType) (V : lmodType R) := Inner {
  dot : V -> V -> R;
  dotC : forall x y, dot x y = dot y x;
  dotDl : forall x y z, dot (x + y) z = dot x z + dot y z;
  dotZl : forall c x y, dot (c *: x) y = c * dot x y;
  dot_ge0 : forall x, 0 <= dot x x;
  dot_eq0 : forall x, dot x x = 0 -> x = 0 }.

#[local] Obligation Tactic := idtac.

Section Matrices.
Variables (R : realType) (m n : nat).
Implicit Types A B : 'M[R]_(m, n).

Lemma trace_entries A B : \tr (A^T *m B) = \sum_j \sum_i A i j * B i j.
Proof. by apply: eq_bigr => j _; rewrite mxE; apply: eq_bigr => i _; rewrite mxE. Qed.

Lemma trace_square A : \tr (A^T *m A) = \sum_j \sum_i A i j ^+ 2.
Proof. by rewrite trace_entries. Qed.

Program Instance inner_matrix : inner 'M[R]_(m, n) := {| dot A B := \tr (A^T *m B) |}.
Next Obligation. by move=> A B /=; rewrite -mxtrace_tr trmx_mul trmxK. Qed.
Next Obligation. by move=> A B C /=; rewrite linearD mulmxDl mxtraceD. Qed.
Next Obligation. by move=> c A B /=; rewrite linearZ -scalemxAl mxtraceZ. Qed.
Next Obligation. by move=> A /=; rewrite trace_square; do 2!apply: sumr_ge0 => ? _; exact: sqr_ge0. Qed.
Next Obligation.
move=> A /=; rewrite trace_square => A0; apply/matrixP => i j; rewrite mxE.
have squares k : 0 <= \sum_i A i k ^+ 2 by apply: sumr_ge0 => ? _; exact: sqr_ge0.
move/(psumr_eq0P (fun k _ => squares k))/(_ j isT): A0.
by move/(psumr_eq0P (fun l _ => sqr_ge0 (A l j)))/(_ i isT)/eqP; rewrite sqrf_eq0 => /eqP.
Qed.
End Matrices.
#[global] Existing Instance inner_matrix.

Section Pairs.
Variables (R : realType) (U V : lmodType R) (iU : inner U) (iV : inner V).
Program Instance inner_pair : inner (U * V)%type := {| dot x y := dot x.1 y.1 + dot x.2 y.2 |}.
Next Obligation. by move=> x y /=; congr (_ + _); exact: dotC. Qed.
Next Obligation. by move=> x y z /=; rewrite !dotDl addrACA. Qed.
Next Obligation. by move=> c x y /=; rewrite !dotZl mulrDr. Qed.
Next Obligation. by move=> x /=; rewrite addr_ge0 ?dot_ge0. Qed.
Next Obligation.
move=> [a b] /= /eqP; rewrite paddr_eq0 ?dot_ge0 //.
by case/andP => /eqP/dot_eq0/= -> /eqP/dot_eq0/= ->.
Qed.
End Pairs.
#[global] Existing Instance inner_pair.

Definition fro (R : realType) (V : lmodType R) {i : inner V} (x : V) : R := Num.sqrt (dot x x).

Section Norm.
Context {R : realType} {V : lmodType R} {i : inner V}.
Implicit Types x y z : V.

Lemma dotDr x y z : dot x (y + z) = dot x y + dot x z.
Proof. by rewrite dotC dotDl 2![dot _ x]dotC. Qed.

Lemma dotZr c x y : dot x (c *: y) = c * dot x y.
Proof. by rewrite dotC dotZl dotC. Qed.

Lemma fro_ge0 x : 0 <= fro x. Proof. exact: sqrtr_ge0. Qed.

Lemma fro_sq x : fro x ^+ 2 = dot x x. Proof. exact/sqr_sqrtr/dot_ge0. Qed.

Lemma fro_eq0 x : fro x = 0 -> x = 0.
Proof. by move=> x0; apply: dot_eq0; rewrite -fro_sq x0 expr0n. Qed.

Lemma froZ c x : fro (c *: x) = `|c| * fro x.
Proof. by rewrite /fro dotZl dotZr mulrA -expr2 sqrtrM ?sqr_ge0 // sqrtr_sqr. Qed.

(** 0 <= | |y| x - |x| y |^2 = 2 |x| |y| (|x| |y| - <x, y>). *)
Lemma cauchy_schwarz x y : dot x y <= fro x * fro y.
Proof.
have [|positive] := eqVneq (fro x * fro y) 0; last first.
  have: 0 <= dot (fro y *: x + - fro x *: y) (fro y *: x + - fro x *: y) by exact: dot_ge0.
  rewrite !(dotDl, dotDr, dotZl, dotZr) (dotC y x) -!fro_sq => square.
  have {}positive : 0 < fro x * fro y by rewrite lt_def positive mulr_ge0 ?fro_ge0.
  by rewrite -(ler_pM2l positive); lra.
move=> z; rewrite z; move/eqP: z; rewrite mulf_eq0.
have dot0 u : dot 0 u = 0 by rewrite -(scale0r 0) dotZl mul0r.
by case/orP => /eqP/fro_eq0 ->; rewrite ?dot0 // dotC dot0.
Qed.

Lemma fro_triangle x y : fro (x + y) <= fro x + fro y.
Proof.
rewrite -(ler_pXn2r (n := 2)) ?nnegrE ?addr_ge0 ?fro_ge0 //.
rewrite fro_sq dotDl !dotDr (dotC y x) -!fro_sq.
have := cauchy_schwarz x y; lra.
Qed.
End Norm.

Definition opn (R : realType) (m n : nat) (X : 'M[R]_(m, n)) : R :=
  sup [set fro (X *m v) | v in [set v : 'cV[R]_n | fro v <= 1]].

Section Spectral.
Variable R : realType.
Lemma opn_ge0 m n (X : 'M[R]_(m, n)) : 0 <= opn X. Admitted.
Lemma opn_bound m n (X : 'M[R]_(m, n)) v : fro (X *m v) <= opn X * fro (v : 'cV_n). Admitted.
Lemma opnZ m n c (X : 'M[R]_(m, n)) : opn (c *: X) = `|c| * opn X. Admitted.
Lemma opn_tr m n (X : 'M[R]_(m, n)) : opn X^T = opn X. Admitted.
Lemma fro_tr m n (X : 'M[R]_(m, n)) : fro X^T = fro X. Admitted.
Lemma opn_triangle m n (X Y : 'M[R]_(m, n)) : opn (X + Y) <= opn X + opn Y. Admitted.
Lemma fro_mul_op_fro m n p (X : 'M[R]_(m, n)) (Y : 'M[R]_(n, p)) : fro (X *m Y) <= opn X * fro Y. Admitted.
Lemma fro_mul_fro_op m n p (X : 'M[R]_(m, n)) (Y : 'M[R]_(n, p)) : fro (X *m Y) <= fro X * opn Y. Admitted.
Lemma opn_mul m n p (X : 'M[R]_(m, n)) (Y : 'M[R]_(n, p)) : opn (X *m Y) <= opn X * opn Y. Admitted.
Lemma opn_le_fro m n (X : 'M[R]_(m, n)) : opn X <= fro X. Admitted.
Lemma rank_rows m n (X : 'M[R]_(m, n)) : fro X ^+ 2 <= m%:R * opn X ^+ 2. Admitted.
Lemma rank_columns m n (X : 'M[R]_(m, n)) : fro X ^+ 2 <= n%:R * opn X ^+ 2. Admitted.
Lemma rank_inside m k n (X : 'M[R]_(m, k)) (Y : 'M[R]_(k, n)) :
  fro (X *m Y) ^+ 2 <= k%:R * opn (X *m Y) ^+ 2. Admitted.
End Spectral.

(** [mx] proves an equality of matrices that follows from the laws of rings, scalars and transposes. *)
Section Words.
Variable R : realType.
Lemma addE m n (A B : 'M[R]_(m, n)) i j : (A + B) i j = A i j + B i j. Proof. by rewrite mxE. Qed.
Lemma oppE m n (A : 'M[R]_(m, n)) i j : (- A) i j = - A i j. Proof. by rewrite mxE. Qed.
Lemma scaleE m n c (A : 'M[R]_(m, n)) i j : (c *: A) i j = c * A i j. Proof. by rewrite mxE. Qed.
Lemma zeroE m n i j : (0 : 'M[R]_(m, n)) i j = 0. Proof. by rewrite mxE. Qed.
End Words.
Ltac mx :=
  rewrite ?(mul0mx, mulmx0, trmx0, linearD, linearN, linearZ, linearB, trmx_mul, trmxK, mulmxDl, mulmxDr, mulmxBl, mulmxBr, mulmxN, mulNmx) /=;
  rewrite -?(scalemxAl, scalemxAr) ?mulmxA;
  apply/matrixP => i j; rewrite ?(addE, oppE, scaleE, zeroE); ring.
Goal forall (R : realType) m n p (A : 'M[R]_(m,n)) (B C : 'M[R]_(n,p)) (c : R),
 (2 *: A) *m (B + c *: C) - A *m B = A *m B + (2 * c) *: (A *m C).
Proof. move=> *. mx. Qed.
