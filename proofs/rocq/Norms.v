(** Norms of matrices.

    - [dot x y], [fro x]: the inner product and its norm, for a matrix, <A, B> = tr(A^T B), and for a tuple of matrices
      (nested pairs), where the inner products of the blocks add up: [fro] is the Frobenius norm.
    - [opn X]: the spectral norm, the most by which X stretches a vector.
    - [mx]: the tactic that proves equalities of matrices; [polynomial]: the one that proves equalities of scalars. *)
From mathcomp Require Import all_ssreflect all_algebra lra.
From mathcomp Require Export ring.
From mathcomp Require Import classical_sets reals.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope classical_set_scope.
Local Open Scope ring_scope.

(** * Inner products *)

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

(** The entries of sums and multiples: [mxE] would open A and B, too. *)
Lemma zeroE i j : (0 : 'M[R]_(m, n)) i j = 0. Proof. by rewrite mxE. Qed.
Lemma addE A B i j : (A + B) i j = A i j + B i j. Proof. by rewrite mxE. Qed.
Lemma scaleE c A i j : (c *: A) i j = c * A i j. Proof. by rewrite mxE. Qed.

Lemma trace_square A : \tr (A^T *m A) = \sum_j \sum_i A i j ^+ 2.
Proof. by apply: eq_bigr => j _; rewrite mxE; apply: eq_bigr => i _; rewrite mxE. Qed.

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

(** * The norm of an inner product *)

Definition fro (R : realType) (V : lmodType R) {i : inner V} (x : V) : R := Num.sqrt (dot x x).

Section Norm.
Context {R : realType} {V : lmodType R} {i : inner V}.
Implicit Types x y z : V.

Lemma dot0 x : dot 0 x = 0.
Proof. by rewrite -(scale0r 0) dotZl mul0r. Qed.

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

Lemma fro0 : fro (0 : V) = 0.
Proof. by rewrite /fro dot0 sqrtr0. Qed.

(** 0 <= | |y| x - |x| y |^2 = 2 |x| |y| (|x| |y| - <x, y>). *)
Lemma cauchy_schwarz x y : dot x y <= fro x * fro y.
Proof.
have [/fro_eq0 ->|x0] := eqVneq (fro x) 0; first by rewrite dot0 fro0 mul0r.
have [/fro_eq0 ->|y0] := eqVneq (fro y) 0; first by rewrite dotC dot0 fro0 mulr0.
have positive : 0 < fro x * fro y by rewrite mulr_gt0 ?lt_def ?x0 ?y0 ?fro_ge0.
have: 0 <= dot (fro y *: x + - fro x *: y) (fro y *: x + - fro x *: y) by exact: dot_ge0.
rewrite !(dotDl, dotDr, dotZl, dotZr) (dotC y x) -!fro_sq => square.
by rewrite -(ler_pM2l positive); lra.
Qed.

Lemma cauchy_schwarz_abs x y : `|dot x y| <= fro x * fro y.
Proof.
rewrite ler_norml cauchy_schwarz lerNl -mulN1r -dotZl andbT.
by apply: le_trans (cauchy_schwarz _ _) _; rewrite froZ normrN1 mul1r.
Qed.

Lemma fro_triangle x y : fro (x + y) <= fro x + fro y.
Proof.
rewrite -(ler_pXn2r (n := 2)) ?nnegrE ?addr_ge0 ?fro_ge0 //.
rewrite fro_sq dotDl !dotDr (dotC y x) -!fro_sq.
have := cauchy_schwarz x y; lra.
Qed.
End Norm.

(** * The Frobenius norm *)

Section Frobenius.
Variable R : realType.

Lemma fro_sq_entries m n (X : 'M[R]_(m, n)) : fro X ^+ 2 = \sum_j \sum_i X i j ^+ 2.
Proof. by rewrite fro_sq /= trace_square. Qed.

Lemma fro_tr m n (X : 'M[R]_(m, n)) : fro X^T = fro X.
Proof. by rewrite /fro /= trmxK mxtrace_mulC. Qed.

(** The squared norms of the columns add up. *)
Lemma fro_sq_columns m n (X : 'M[R]_(m, n)) : fro X ^+ 2 = \sum_j fro (col j X) ^+ 2.
Proof.
rewrite fro_sq_entries; apply: eq_bigr => j _.
by rewrite fro_sq_entries big_ord1; apply: eq_bigr => i _; rewrite mxE.
Qed.

(** If X stretches a vector at most c times, then a matrix, too. *)
Lemma fro_mul_le (c : R) m n p (X : 'M[R]_(m, n)) (Y : 'M[R]_(n, p)) : 0 <= c ->
  (forall v : 'cV_n, fro (X *m v) <= c * fro v) -> fro (X *m Y) <= c * fro Y.
Proof.
move=> c0 bound; rewrite -(ler_pXn2r (n := 2)) ?nnegrE ?mulr_ge0 ?fro_ge0 //.
rewrite exprMn !fro_sq_columns mulr_sumr; apply: ler_sum => j _.
by rewrite !colE -mulmxA -exprMn ler_pXn2r ?nnegrE ?mulr_ge0 ?fro_ge0.
Qed.

(** By the columns of Y, then by the rows of X; what remains is Cauchy-Schwarz. *)
Lemma fro_mul m n p (X : 'M[R]_(m, n)) (Y : 'M[R]_(n, p)) : fro (X *m Y) <= fro X * fro Y.
Proof.
apply: fro_mul_le => [|v]; first exact: fro_ge0.
rewrite mulrC -fro_tr trmx_mul -(fro_tr X); apply: fro_mul_le => [|u]; first exact: fro_ge0.
have -> : fro (v^T *m u) = `|dot v u|; last exact: cauchy_schwarz_abs.
by rewrite -sqrtr_sqr /fro /= trace_square /mxtrace !big_ord1.
Qed.
End Frobenius.

(** * The spectral norm *)

Definition opn (R : realType) (m n : nat) (X : 'M[R]_(m, n)) : R :=
  sup [set fro (X *m v) | v in [set v : 'cV[R]_n | fro v <= 1]].

Section Spectral.
Variable R : realType.

(** The supremum is that of a set which is bounded: |X v| <= |X|_F |v|. *)
Lemma opn_ge m n (X : 'M[R]_(m, n)) (v : 'cV_n) : fro v <= 1 -> fro (X *m v) <= opn X.
Proof.
move=> v1; apply: sup_upper_bound; last by exists v.
split; first by exists (fro (X *m v)), v.
by exists (fro X) => _ [u u1 <-]; rewrite (le_trans (fro_mul _ _)) // ler_piMr ?fro_ge0.
Qed.

Lemma opn_ge0 m n (X : 'M[R]_(m, n)) : 0 <= opn X.
Proof. by apply: le_trans (opn_ge X (v := 0) _); rewrite ?fro_ge0 ?fro0 ?ler01. Qed.

Lemma opn_bound m n (X : 'M[R]_(m, n)) v : fro (X *m v) <= opn X * fro (v : 'cV_n).
Proof.
have [/fro_eq0 ->|v0] := eqVneq (fro v) 0; first by rewrite mulmx0 !fro0 mulr0.
have {}v0 : 0 < fro v by rewrite lt_def v0 fro_ge0.
rewrite -ler_pdivrMr // mulrC -[(fro v)^-1]ger0_norm ?invr_ge0 ?fro_ge0 // -froZ scalemxAr.
by apply: opn_ge; rewrite froZ ger0_norm ?invr_ge0 ?fro_ge0 // mulVf ?gt_eqF.
Qed.

(** It is the least such bound. *)
Lemma opn_le m n (X : 'M[R]_(m, n)) (c : R) :
  0 <= c -> (forall v : 'cV_n, fro (X *m v) <= c * fro v) -> opn X <= c.
Proof.
move=> c0 bound; apply: sup_le_ub; first by exists (fro (X *m (0 : 'cV_n))), 0; rewrite /= ?fro0 ?ler01.
by move=> _ [v v1 <-]; rewrite (le_trans (bound v)) // ler_piMr.
Qed.

Lemma opn_le_fro m n (X : 'M[R]_(m, n)) : opn X <= fro X.
Proof. by apply: opn_le => [|v]; [exact: fro_ge0 | exact: fro_mul]. Qed.

Lemma opn_triangle m n (X Y : 'M[R]_(m, n)) : opn (X + Y) <= opn X + opn Y.
Proof.
apply: opn_le => [|v]; first by rewrite addr_ge0 ?opn_ge0.
by rewrite mulmxDl mulrDl (le_trans (fro_triangle _ _)) // lerD ?opn_bound.
Qed.

Lemma opn_mul m n p (X : 'M[R]_(m, n)) (Y : 'M[R]_(n, p)) : opn (X *m Y) <= opn X * opn Y.
Proof.
apply: opn_le => [|v]; first by rewrite mulr_ge0 ?opn_ge0.
by rewrite -mulmxA -mulrA (le_trans (opn_bound _ _)) // ler_wpM2l ?opn_ge0 ?opn_bound.
Qed.

Lemma opnZ m n c (X : 'M[R]_(m, n)) : opn (c *: X) = `|c| * opn X.
Proof.
have le d (Y : 'M[R]_(m, n)) : opn (d *: Y) <= `|d| * opn Y.
  apply: opn_le => [|v]; first by rewrite mulr_ge0 ?opn_ge0.
  by rewrite -scalemxAl froZ -mulrA ler_wpM2l ?opn_bound.
apply/le_anti; rewrite le /=; have [->|c0] := eqVneq c 0; first by rewrite normr0 mul0r opn_ge0.
by rewrite -ler_pdivlMl ?normr_gt0 // -normfV -{1}[X](scalerK c0).
Qed.

(** |X^T u|^2 = <u, X X^T u> <= |u| |X| |X^T u|. *)
Lemma opn_tr m n (X : 'M[R]_(m, n)) : opn X^T = opn X.
Proof.
have le k l (Y : 'M[R]_(k, l)) : opn Y^T <= opn Y.
  apply: opn_le => [|u]; first exact: opn_ge0.
  have [->|u0] := eqVneq (fro (Y^T *m u)) 0; first by rewrite mulr_ge0 ?opn_ge0 ?fro_ge0.
  have {}u0 : 0 < fro (Y^T *m u) by rewrite lt_def u0 fro_ge0.
  rewrite -(ler_pM2r u0) -expr2 fro_sq /= trmx_mul trmxK -mulmxA.
  apply: le_trans (cauchy_schwarz u (Y *m (Y^T *m u))) _.
  by rewrite mulrC mulrAC ler_wpM2r ?fro_ge0 ?opn_bound.
by apply/le_anti; rewrite le -{1}[X]trmxK le.
Qed.

Lemma fro_mul_op_fro m n p (X : 'M[R]_(m, n)) (Y : 'M[R]_(n, p)) : fro (X *m Y) <= opn X * fro Y.
Proof. by apply: fro_mul_le => [|v]; [exact: opn_ge0 | exact: opn_bound]. Qed.

Lemma fro_mul_fro_op m n p (X : 'M[R]_(m, n)) (Y : 'M[R]_(n, p)) : fro (X *m Y) <= fro X * opn Y.
Proof. by rewrite mulrC -fro_tr trmx_mul -opn_tr -[fro X]fro_tr fro_mul_op_fro. Qed.

(** Each column is the image of a unit vector. *)
Lemma rank_columns m n (X : 'M[R]_(m, n)) : fro X ^+ 2 <= n%:R * opn X ^+ 2.
Proof.
have -> : n%:R * opn X ^+ 2 = \sum_(j < n) opn X ^+ 2 by rewrite sumr_const card_ord mulr_natl.
rewrite fro_sq_columns; apply: ler_sum => j _.
rewrite ler_pXn2r ?nnegrE ?fro_ge0 ?opn_ge0 // colE; apply: opn_ge.
by rewrite -[leRHS]sqrtr1 /fro /= trmx_delta mul_delta_mx /mxtrace big_ord1 mxE !eqxx.
Qed.

Lemma rank_rows m n (X : 'M[R]_(m, n)) : fro X ^+ 2 <= m%:R * opn X ^+ 2.
Proof. by rewrite -fro_tr -opn_tr rank_columns. Qed.

(** A vector is its length times a vector along it whose length is 1 or 0. *)
Lemma direction m (r : 'cV[R]_m) :
  exists q, [/\ r = fro r *: q, q = (fro r)^-1 *: r & q *m (q^T *m q) = q].
Proof.
exists ((fro r)^-1 *: r); have [r0|r0] := eqVneq (fro r) 0.
  by rewrite (fro_eq0 r0) !scaler0 mul0mx.
rewrite scalerA divff // scale1r; split=> //; set q := _ *: r.
have -> : q^T *m q = (fro q ^+ 2)%:M by rewrite fro_sq /= /mxtrace big_ord1; exact: mx11_scalar.
by rewrite mul_mx_scalar froZ normfV ger0_norm ?fro_ge0 // mulVf // expr1n scale1r.
Qed.

(** The columns of X lie in the span of k columns Q that are orthogonal, of length 1 or 0 (Gram-Schmidt): Q Q^T is the
    projection onto that span. *)
Lemma orthonormal m k (X : 'M[R]_(m, k)) : exists2 Q : 'M[R]_(m, k), Q *m (Q^T *m X) = X & Q *m (Q^T *m Q) = Q.
Proof.
elim: k X => [|k IH] X; first by exists 0; rewrite mul0mx ?(thinmx0 X).
rewrite -(hsubmxK (X : 'M_(m, 1 + k))); move: (lsubmx _) (rsubmx _) => x {}X.
have [Q QX QQ] := IH X; pose r := x - Q *m (Q^T *m x).
have [q [rq qr qq]] := direction r.
have Qq : Q^T *m q = 0.
  by rewrite qr -scalemxAr mulmxBr -{1}QQ !trmx_mul trmxK -!mulmxA subrr scaler0.
have qQ : q^T *m Q = 0 by rewrite -[LHS]trmxK trmx_mul trmxK Qq trmx0.
have split : x = fro r *: q + Q *m (Q^T *m x) by rewrite -rq subrK.
suff: exists2 Q : 'M_(m, 1 + k), Q *m (Q^T *m row_mx x X) = row_mx x X & Q *m (Q^T *m Q) = Q by [].
exists (row_mx q Q); rewrite tr_row_mx mul_col_mx mul_row_col !mul_mx_row.
  rewrite add_row_mx QX; congr row_mx; last first.
    by rewrite -{1}QX (mulmxA q^T) qQ mul0mx mulmx0 add0r.
  by rewrite {1}split mulmxDr (mulmxA q^T) qQ mul0mx addr0 -!scalemxAr qq -split.
by rewrite add_row_mx qq QQ Qq qQ !mulmx0 addr0 add0r.
Qed.

(** |Q^T N| = |N| for every N whose columns lie in the span of Q, in both norms, and Q^T X Y has only k rows. *)
Lemma rank_inside m k n (X : 'M[R]_(m, k)) (Y : 'M[R]_(k, n)) :
  fro (X *m Y) ^+ 2 <= k%:R * opn (X *m Y) ^+ 2.
Proof.
have [Q QX _] := orthonormal X; set M := X *m Y.
have same p (Z : 'M_(n, p)) : fro (Q^T *m (M *m Z)) = fro (M *m Z).
  have QM : Q *m (Q^T *m (M *m Z)) = M *m Z by rewrite -(mulmxA X) (mulmxA Q^T) (mulmxA Q) QX.
  by rewrite /fro /= trmx_mul trmxK -(mulmxA _ Q) QM.
rewrite -[M in leLHS]mulmx1 -same mulmx1 (le_trans (rank_rows _)) // ler_wpM2l ?ler0n //.
rewrite ler_pXn2r ?nnegrE ?opn_ge0 //; apply: opn_le => [|v]; first exact: opn_ge0.
by rewrite -mulmxA same opn_bound.
Qed.

(** A product of many factors has the rank bound of every inner dimension. *)
Lemma rank_through m k n (M : 'M[R]_(m, n)) (X : 'M_(m, k)) (Y : 'M_(k, n)) :
  M = X *m Y -> fro M ^+ 2 <= k%:R * opn M ^+ 2.
Proof. by move=> ->; exact: rank_inside. Qed.
End Spectral.

(** * Equalities of matrices

    [mx] proves an equality of matrices, or of tuples of matrices, that follows from the laws of sums, products, scalars
    and transposes. It works by reflection. Both sides are read as expressions; [expand] turns an expression into a list
    of terms, each a scalar times a word, and a word is a product of letters and transposed letters. What remains is an
    equality of the two lists, entry by entry, in which words are atoms: [polynomial] proves it. *)
Module Words.
Section Words.
Variable R : realType.

(** The sides of an equality, and what they mean. *)
Inductive expression : nat -> nat -> Type :=
| Letter m n of 'M[R]_(m, n) : expression m n
| Null m n : expression m n
| Sum m n of expression m n & expression m n : expression m n
| Minus m n of expression m n : expression m n
| Scaled m n of R & expression m n : expression m n
| Product m n p of expression m n & expression n p : expression m p
| Turn m n of expression m n : expression n m.

Fixpoint meaning m n (e : expression m n) : 'M[R]_(m, n) :=
  match e with
  | Letter _ _ A => A
  | Null _ _ => 0
  | Sum _ _ d e => meaning d + meaning e
  | Minus _ _ e => - meaning e
  | Scaled _ _ c e => c *: meaning e
  | Product _ _ _ d e => meaning d *m meaning e
  | Turn _ _ e => (meaning e)^T
  end.

(** Terms, and what they mean. *)
Inductive letter m n := Plain of 'M[R]_(m, n) | Turned of 'M[R]_(n, m).

Inductive word : nat -> nat -> Type :=
| Empty n : word n n
| Then m n p of letter m n & word n p : word m p.

Definition letter_meaning m n (a : letter m n) : 'M[R]_(m, n) :=
  match a with Plain A => A | Turned A => A^T end.

Fixpoint word_meaning m n (w : word m n) : 'M[R]_(m, n) :=
  match w with Empty _ => 1%:M | Then _ _ _ a w => letter_meaning a *m word_meaning w end.

Definition terms m n := seq (R * word m n).

Fixpoint terms_meaning m n (s : terms m n) : 'M[R]_(m, n) :=
  if s is (c, w) :: s then c *: word_meaning w + terms_meaning s else 0.

(** How terms are transposed, scaled and multiplied. *)
Definition turn_letter m n (a : letter m n) : letter n m :=
  match a with Plain A => Turned A | Turned A => Plain A end.

Fixpoint join m n p (v : word m n) : word n p -> word m p :=
  match v with Empty _ => fun w => w | Then _ _ _ a v => fun w => Then a (join v w) end.

Fixpoint turn_word m n (w : word m n) : word n m :=
  match w with Empty n => Empty n | Then _ _ _ a w => join (turn_word w) (Then (turn_letter a) (Empty _)) end.

Fixpoint scale_terms m n c (s : terms m n) : terms m n :=
  if s is (d, w) :: s then (c * d, w) :: scale_terms c s else [::].

Fixpoint shift_terms m n p c (v : word m n) (s : terms n p) : terms m p :=
  if s is (d, w) :: s then (c * d, join v w) :: shift_terms c v s else [::].

Fixpoint multiply_terms m n p (r : terms m n) (s : terms n p) : terms m p :=
  if r is (c, v) :: r then shift_terms c v s ++ multiply_terms r s else [::].

Fixpoint turn_terms m n (s : terms m n) : terms n m :=
  if s is (c, w) :: s then (c, turn_word w) :: turn_terms s else [::].

Fixpoint expand m n (e : expression m n) : terms m n :=
  match e with
  | Letter _ _ A => [:: (1, Then (Plain A) (Empty _))]
  | Null _ _ => [::]
  | Sum _ _ d e => expand d ++ expand e
  | Minus _ _ e => scale_terms (-1) (expand e)
  | Scaled _ _ c e => scale_terms c (expand e)
  | Product _ _ _ d e => multiply_terms (expand d) (expand e)
  | Turn _ _ e => turn_terms (expand e)
  end.

(** The expansion means what the expression means. *)
Lemma join_meaning m n p (v : word m n) (w : word n p) : word_meaning (join v w) = word_meaning v *m word_meaning w.
Proof. by elim: v w => [k|k l r a v IH] w /=; rewrite ?mul1mx // IH mulmxA. Qed.

Lemma turn_word_meaning m n (w : word m n) : word_meaning (turn_word w) = (word_meaning w)^T.
Proof.
elim: w => [k|k l r a w IH] /=; first by rewrite trmx1.
by rewrite join_meaning IH /= mulmx1 trmx_mul; case: a => A //=; rewrite trmxK.
Qed.

Lemma cat_meaning m n (r s : terms m n) : terms_meaning (r ++ s) = terms_meaning r + terms_meaning s.
Proof. by elim: r => [|[c w] r IH] /=; rewrite ?add0r // IH addrA. Qed.

Lemma scale_meaning m n c (s : terms m n) : terms_meaning (scale_terms c s) = c *: terms_meaning s.
Proof. by elim: s => [|[d w] s IH] /=; rewrite ?scaler0 // IH scalerDr scalerA. Qed.

Lemma shift_meaning m n p c (v : word m n) (s : terms n p) :
  terms_meaning (shift_terms c v s) = c *: word_meaning v *m terms_meaning s.
Proof.
elim: s => [|[d w] s IH] /=; first by rewrite mulmx0.
by rewrite IH mulmxDr join_meaning -scalemxAr -!scalemxAl scalerA mulrC.
Qed.

Lemma multiply_meaning m n p (r : terms m n) (s : terms n p) :
  terms_meaning (multiply_terms r s) = terms_meaning r *m terms_meaning s.
Proof. by elim: r => [|[c v] r IH] /=; rewrite ?mul0mx // cat_meaning shift_meaning IH mulmxDl. Qed.

Lemma turn_meaning m n (s : terms m n) : terms_meaning (turn_terms s) = (terms_meaning s)^T.
Proof. by elim: s => [|[c w] s IH] /=; rewrite ?trmx0 // linearD linearZ IH /= turn_word_meaning. Qed.

Lemma expand_meaning m n (e : expression m n) : terms_meaning (expand e) = meaning e.
Proof.
elim: e => {m n} //= [m n A|m n d <- e <-|m n e <-|m n c e <-|m n p d <- e <-|m n e <-].
- by rewrite mulmx1 scale1r addr0.
- exact: cat_meaning.
- by rewrite scale_meaning scaleN1r.
- exact: scale_meaning.
- exact: multiply_meaning.
- exact: turn_meaning.
Qed.

(** Entries of words stay closed: [polynomial] sees atoms. *)
Definition entry m n (i : 'I_m) (j : 'I_n) (w : word m n) : R := word_meaning w i j.

Fixpoint terms_entry m n (i : 'I_m) (j : 'I_n) (s : terms m n) : R :=
  if s is (c, w) :: s then c * entry i j w + terms_entry i j s else 0.

Lemma by_expansion m n (d e : expression m n) :
  (forall i j, terms_entry i j (expand d) = terms_entry i j (expand e)) -> meaning d = meaning e.
Proof.
have entries i j (s : terms m n) : terms_entry i j s = terms_meaning s i j.
  by elim: s => [|[c w] s IH] /=; rewrite ?zeroE // addE scaleE IH.
by move=> same; rewrite -!expand_meaning; apply/matrixP => i j; rewrite -!entries.
Qed.

(** Tuples are compared block by block. *)
Lemma fstD (U V : nmodType) (x y : U * V) : (x + y).1 = x.1 + y.1. Proof. by []. Qed.
Lemma sndD (U V : nmodType) (x y : U * V) : (x + y).2 = x.2 + y.2. Proof. by []. Qed.
Lemma fstN (U V : zmodType) (x : U * V) : (- x).1 = - x.1. Proof. by []. Qed.
Lemma sndN (U V : zmodType) (x : U * V) : (- x).2 = - x.2. Proof. by []. Qed.
Lemma fstZ (U V : lmodType R) c (x : U * V) : (c *: x).1 = c *: x.1. Proof. by []. Qed.
Lemma sndZ (U V : lmodType R) c (x : U * V) : (c *: x).2 = c *: x.2. Proof. by []. Qed.
Lemma fst0 (U V : nmodType) : (0 : U * V).1 = 0. Proof. by []. Qed.
Lemma snd0 (U V : nmodType) : (0 : U * V).2 = 0. Proof. by []. Qed.
End Words.
End Words.

(** An equality of polynomials with rational coefficients; the inverse of anything but a number is an atom. *)
Ltac polynomial :=
  repeat match goal with |- context [GRing.inv ?x] =>
    assert_fails (have: x != 0 by rewrite pnatr_eq0);
    let inverse := fresh in set inverse := GRing.inv x; clearbody inverse
  end;
  lazymatch goal with |- context [GRing.inv _] => by field | _ => ring end.

(** The expression that means [e]. *)
Ltac reify R e :=
  lazymatch e with
  | GRing.zero =>
    let type := type of e in
    lazymatch eval hnf in type with @matrix _ ?m ?n => open_constr:(@Words.Null R m n) end
  | GRing.add ?d ?e => let d := reify R d in let e := reify R e in open_constr:(Words.Sum d e)
  | GRing.opp ?e => let e := reify R e in open_constr:(Words.Minus e)
  | GRing.scale ?c ?e => let e := reify R e in open_constr:(Words.Scaled c e)
  | mulmx ?d ?e => let d := reify R d in let e := reify R e in open_constr:(Words.Product d e)
  | trmx ?e => let e := reify R e in open_constr:(Words.Turn e)
  | _ => open_constr:(@Words.Letter R _ _ e)
  end.

Ltac mx :=
  lazymatch goal with |- @eq ?type ?d ?e =>
    lazymatch eval hnf in type with
    | prod _ _ =>
      apply: injective_projections;
      rewrite ?(Words.fstD, Words.sndD, Words.fstN, Words.sndN, Words.fstZ, Words.sndZ, Words.fst0, Words.snd0);
      cbn [fst snd]; mx
    | @matrix ?field ?m ?n =>
      let R := open_constr:(_ : realType) in unify field (Real.sort R);
      let d := reify R d in let e := reify R e in
      change (@Words.meaning R m n d = @Words.meaning R m n e);
      apply: Words.by_expansion;
      let i := fresh in let j := fresh in intros i j;
      cbv [Words.terms_entry Words.expand Words.multiply_terms Words.shift_terms Words.scale_terms
        Words.turn_terms Words.turn_word Words.turn_letter Words.join cat];
      repeat match goal with |- context [Words.entry ?i ?j ?w] =>
        let x := fresh in set x := Words.entry i j w; clearbody x
      end;
      polynomial
    end
  end.
