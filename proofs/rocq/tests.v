(** Examples of the tactic [mx]: what it proves, and what it must refuse. Then what the library's definitions are. *)
From mathcomp Require Import all_ssreflect all_algebra ring lra.
From mathcomp Require Import reals.
From boundcheck Require Import Boundcheck Worlds.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Examples.
Variables (R : realType) (m n p q : nat).
Variables (A A' : 'M[R]_(m, n)) (B B' : 'M[R]_(n, p)) (C : 'M[R]_(p, q)) (E E' : 'M[R]_(m, p)).
Variables (H W : 'M[R]_n) (v : 'cV[R]_n) (X : nat -> 'M[R]_(m, p)) (t : nat).
Variable g : 'M[R]_(m, n) * 'M[R]_(n, p) -> 'M[R]_(m, n) * 'M[R]_(n, p).
Variables a b c : R.

(** Sums and scalars. *)
Goal 2 *: (0 : 'M[R]_m) = 0 - 0. Proof. mx. Qed.
Goal A + - A = 0. Proof. mx. Qed.
Goal (a ^+ 2 - b ^+ 2) *: A = (a - b) *: ((a + b) *: A). Proof. mx. Qed.
Goal (a / 2) *: (A + A) = a *: A. Proof. mx. Qed.
Goal (1 / 3) *: A + (2 / 3) *: A = A. Proof. mx. Qed.
Goal A + A' = A - A'. Proof. Fail mx. Abort.
Goal a *: A = b *: A. Proof. Fail mx. Abort.

(** The inverse of a number is known, any other is an atom. *)
Goal ((m%:R * a)^-1 / 2 + 1 / 3 * m%:R^-1) *: (A + A) = (m%:R * a)^-1 *: A + (2 / 3) *: (m%:R^-1 *: A).
Proof. mx. Qed.
Goal a != 0 -> (a^-1 * c) *: (a *: A) = c *: A. Proof. move=> a0. Fail mx. Abort.

(** Other scalars are atoms, too. *)
Goal fro (A, B, C) *: A + opn A *: A = (opn A + fro (A, B, C)) *: A. Proof. mx. Qed.
Goal \tr (A *m A'^T) *: (E + E') = \tr (A *m A'^T) *: E' + \tr (A *m A'^T) *: E. Proof. mx. Qed.
Goal fro (X t) *: (X t.+1 - X t) + fro (X t) *: X t = fro (X t) *: X t.+1. Proof. mx. Qed.
Goal opn A *: (opn B *: (A *m B)) = (opn B *: A) *m (opn A *: B). Proof. mx. Qed.

(** Products. *)
Goal (2 *: A) *m (B + c *: B') - A *m B = A *m B + (2 * c) *: (A *m B'). Proof. mx. Qed.
Goal A *m (B *m C) = A *m B *m C. Proof. mx. Qed.
Goal 0 *m B = A *m B - A *m B^T^T. Proof. mx. Qed.
Goal A *m H *m B = A *m W *m B. Proof. Fail mx. Abort.
Goal H *m W = W *m H. Proof. Fail mx. Abort.

(** Transposes. *)
Goal (0 : 'M[R]_(m, n))^T *m A = 0. Proof. mx. Qed.
Goal (a *: B)^T *m (a *: A)^T - (0 : 'M[R]_(n, p))^T *m (0 : 'M[R]_(m, n))^T = a ^+ 2 *: (B^T *m A^T).
Proof. mx. Qed.
Goal (A *m (B - a *: B'))^T = B^T *m A^T - a *: (B'^T *m A^T). Proof. mx. Qed.
Goal ((A + A')^T + c *: (A - A')^T)^T = (1 + c) *: A + (1 - c) *: A'. Proof. mx. Qed.
Goal (A *m (B *m C))^T = C^T *m (B^T *m A^T). Proof. mx. Qed.
Goal (2 * c - 1) *: (A *m A'^T) = - ((1 - 2 * c) *: (A' *m A^T)^T). Proof. mx. Qed.
Goal (H + c *: H^T) *m v - H *m v = c *: (v^T *m H)^T. Proof. mx. Qed.
Goal A *m H *m B = A *m H^T *m B. Proof. Fail mx. Abort.

(** Long ones. *)
Goal (A *m (B + c *: B') + E) *m C - a *: (A *m (B *m C)) =
  (1 - a) *: (A *m B *m C) + c *: (A *m B' *m C) + E *m C.
Proof. mx. Qed.
Goal A *m (H - a *: W)^T *m (H + b *: W) *m (H - c *: W^T) *m (B + (a * b) *: B') =
  A *m (H^T *m H + b *: (H^T *m W) - a *: (W^T *m H) - (a * b) *: (W^T *m W))
  *m (H *m B + (a * b) *: (H *m B') - c *: (W^T *m (B + (a * b) *: B'))).
Proof. mx. Qed.

(** Tuples. *)
Goal (a *: (A - A'), B *m - C, E) = a *: (A, 0, a^-1 *: E) - (a *: A', B *m C, (a * a^-1 - 1) *: E).
Proof. mx. Qed.
Goal a *: ((g (A, B)).1, (g (A, B)).2 - B) + (0, a *: B) = a *: g (A, B). Proof. mx. Qed.
Goal a *: g (A, B) = g (A, B) - (1 - a) *: g (A, B). Proof. mx. Qed.
Goal (A, B) = (A, B'). Proof. Fail mx. Abort.
End Examples.

(** What the definitions are: with others, the theorems would say something else. *)
Section Meanings.
Variables (R : realType) (n : nat) (x : nat -> R) (y : bool -> R) (w : bool).

(** The two norms differ. *)
Goal fro (1%:M : 'M[R]_n) ^+ 2 = n%:R. Proof. by rewrite fro_sq /= trmx1 mul1mx mxtrace1. Qed.
Goal opn (1%:M : 'M[R]_n.+1) = 1.
Proof.
apply/le_anti/andP; split; first by apply: opn_le => [|v]; rewrite ?mul1mx ?mul1r.
have e1 : fro (delta_mx 0 0 : 'cV[R]_n.+1) = 1.
  by rewrite /fro /= trmx_delta mul_delta_mx /mxtrace big_ord1 mxE !eqxx sqrtr1.
by rewrite -[leLHS]e1 -[delta_mx _ _ in leLHS]mul1mx; apply: opn_ge; rewrite e1.
Qed.

(** Times are 1, ..., T. *)
Goal total 3 x = x 1%N + x 2%N + x 3%N.
Proof. by rewrite /total big_ltn // big_ltn // big_ltn // big_geq // addr0 !addrA. Qed.
Goal before 3 x = x 1%N + x 2%N. Proof. by rewrite /before big_ltn // big_ltn // big_geq // addr0. Qed.
Goal least 1 x = x 1%N. Proof. by rewrite /least big_geq. Qed.
Goal least 3 x = Num.min (x 2%N) (Num.min (x 3%N) (x 1%N)).
Proof. by rewrite /least big_ltn // big_ltn // big_geq. Qed.

(** A coin before it is thrown, and after. *)
Goal expect (@nothing R (coin R)) y w = (y true + y false) / 2.
Proof. by rewrite /expect /weight !big_bool /=; field. Qed.
Goal expect (@past R (coin R) 1) y w = (y true + y false) / 2.
Proof. by rewrite /expect /weight !big_bool /=; field. Qed.
Goal expect (@past R (coin R) 2) y w = y w.
Proof. by rewrite (expect_of_known (g := @past R (coin R) 2)) //; [exact: past_is_past | case=> [] []]. Qed.

(** The gradient of |X|^2 / 2 is X, and nothing else. *)
Goal forall X G : 'M[R]_n, gradient_at (fun Y : 'M[R]_n => fro Y ^+ 2 / 2) X G -> G = X.
Proof. by move=> X G XG; apply: gradient_unique XG _; exact: gradient_half_square. Qed.
End Meanings.
