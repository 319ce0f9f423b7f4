(** * Worlds

    Small worlds in which the hypotheses of exported theorems hold: a theorem whose hypotheses nothing meets says
    nothing.

    - [still R], [coin R]: a probability space with one outcome, and that of a fair coin which is thrown at time 1.
    - [gradient_zero], [gradient_half_square], [gradient_adapter]: functions that have a gradient.
    - [parts]: the tactic that asks for a proof of each part of a world.
    - [dull R]: the tactic that takes the dullest world, in which nothing happens, and proves what it can. *)
From mathcomp Require Import all_ssreflect all_algebra ring lra.
From mathcomp Require Import reals.
From boundcheck Require Import Boundcheck.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.
#[local] Obligation Tactic := idtac.

Program Definition still (R : realType) : space R :=
  {| outcome := unit : finType; chance := fun=> 1; label := fun _ _ => 0%N |}.
Next Obligation. by move=> R w; rewrite ltr01. Qed.
Next Obligation. by move=> R; rewrite big_const cardT enumT unlock /= addr0.
Qed.
Next Obligation. by []. Qed.

(** The past of time 1 does not know how the coin fell, and that of time 2 does. *)
Program Definition coin (R : realType) : space R :=
  {| outcome := bool : finType; chance := fun=> 1 / 2; label := fun t w => if (t <= 1)%N then 0%N else nat_of_bool w |}.
Next Obligation. by move=> R w; rewrite /= divr_gt0 ?ltr01 ?ltr0n. Qed.
Next Obligation. by move=> R; rewrite big_bool /=; lra. Qed.
Next Obligation.
move=> R s t w v st /=; case: (leqP s 1) => // s1.
by rewrite leqNgt (leq_trans s1 st).
Qed.

Section Gradients.
Context {R : realType}.

Lemma gradient_zero (V : lmodType R) (i : inner V) : is_gradient (fun _ : V => 0) (fun=> 0).
Proof.
move=> x e e_gt0; exists 1 => // h _.
by rewrite dot0 !subr0 normr0 mulr_ge0 ?fro_ge0 ?ltW.
Qed.

Lemma gradient_half_square (V : lmodType R) (i : inner V) : is_gradient (fun x : V => fro x ^+ 2 / 2) id.
Proof.
move=> x e e_gt0; exists (2 * e) => [|h h_lt]; first by rewrite mulr_gt0.
have -> : fro (x + h) ^+ 2 / 2 - fro x ^+ 2 / 2 - dot x h = fro h ^+ 2 / 2.
  by rewrite !fro_sq dotDl !dotDr (dotC h x); lra.
have h_ge0 : 0 <= fro h by exact: fro_ge0.
rewrite ger0_norm ?mulr_ge0 ?sqr_ge0 ?invr_ge0 //.
by have := ler_wpM2r h_ge0 (ltW h_lt); lra.
Qed.

(** With P(x) = s x_2 x_1 + W, the change of P is linear, D, up to s h_2 h_1. *)
Lemma gradient_adapter (d r k : nat) (f : 'M[R]_(d, k) -> R) gf (s : R) (W : 'M[R]_(d, k)) : is_gradient f gf ->
  is_gradient (fun x : 'M[R]_(r, k) * 'M[R]_(d, r) => f (s *: (x.2 *m x.1) + W))
    (fun x => (s *: (x.2^T *m gf (s *: (x.2 *m x.1) + W)), s *: (gf (s *: (x.2 *m x.1) + W) *m x.1^T))).
Proof.
move=> fg [A B] e e_gt0 /=; set X := _ + W; set g := gf X.
have [K KE] : exists K : R, K = `|s| * (fro A + fro B + 1) by eexists.
have A_ge0 : 0 <= fro A by exact: fro_ge0.
have B_ge0 : 0 <= fro B by exact: fro_ge0.
have g_ge0 : 0 <= fro g by exact: fro_ge0.
have s_ge0 := normr_ge0 s.
have K_ge0 : 0 <= K by rewrite KE mulr_ge0 // !addr_ge0.
have K1_gt0 : 0 < K + 1 by rewrite ltr_wpDl.
have e2_gt0 : 0 < e / 2 by rewrite divr_gt0.
pose e' : R := e / 2 / (K + 1).
have e'_gt0 : 0 < e' by rewrite divr_gt0.
have e'K : e' * K <= e / 2 by rewrite mulrAC ler_pdivrMr // ler_pM2l //; lra.
have [c c_gt0 near] := fg X e' e'_gt0.
have [N NE] : exists N : R, N = fro g by eexists.
pose q : R := `|s| * N + 1.
have N_ge0 : 0 <= N by rewrite NE.
have q_gt0 : 0 < q by rewrite ltr_wpDl // mulr_ge0.
exists (Num.min 1 (Num.min (c / (K + 1)) (e / 2 / q))) => [|[hA hB]].
  by rewrite !lt_min ltr01 !divr_gt0.
rewrite !lt_min => /and3P[h1 hc hq]; move: h1 hc hq.
have [n nE] : exists n : R, n = fro (hA, hB) by eexists.
rewrite -nE => h1 hc hq; have n_ge0 : 0 <= n by rewrite nE; exact: fro_ge0.
have hA_n : fro hA <= n.
  by rewrite -(ler_pXn2r (n := 2)) ?nnegrE ?fro_ge0 // nE fro_pair_sq lerDl sqr_ge0.
have hB_n : fro hB <= n.
  by rewrite -(ler_pXn2r (n := 2)) ?nnegrE ?fro_ge0 // nE fro_pair_sq lerDr sqr_ge0.
pose u := s *: (B *m hA + hB *m A + hB *m hA).
have uX : s *: ((B + hB) *m (A + hA)) + W = X + u by rewrite /X /u; mx.
have hh : fro (hB *m hA) <= n * n.
  by rewrite (le_trans (fro_mul _ _)) // ler_pM ?fro_ge0.
have u_n : fro u <= K * n.
  rewrite /u froZ KE -mulrA ler_wpM2l //.
  have b1 : fro (B *m hA) <= fro B * n by rewrite (le_trans (fro_mul _ _)) // ler_wpM2l.
  have b2 : fro (hB *m A) <= n * fro A by rewrite (le_trans (fro_mul _ _)) // ler_wpM2r.
  have b3 : n * n <= n by rewrite ler_piMr // ltW.
  have := lerD (lerD b1 b2) (le_trans hh b3).
  move=> sums; rewrite (le_trans (fro_triangle _ _)) // (le_trans (lerD (fro_triangle _ _) (lexx _))) //.
  by rewrite (le_trans sums) // !mulrDl mul1r [fro A * n]mulrC [n * _ + _]addrC.
have u_c : fro u < c.
  apply: le_lt_trans u_n _; move: hc; rewrite ltr_pdivlMr ?ltr_wpDl // mulrDr mulr1 [n * K]mulrC; lra.
have line : dot g u = dot (s *: (B^T *m g), s *: (g *m A^T)) (hA, hB) + s * dot g (hB *m hA).
  have turn1 : dot (B^T *m g) hA = dot g (B *m hA) by rewrite /= trmx_mul trmxK -mulmxA.
  have turn2 : dot (g *m A^T) hB = dot g (hB *m A) by rewrite /= trmx_mul trmxK -mulmxA mxtrace_mulC -mulmxA.
  by rewrite /u dotZr !dotDr -turn1 -turn2 2!mulrDr -!dotZl.
have rest : `|s * dot g (hB *m hA)| <= e / 2 * n.
  have cs : `|dot g (hB *m hA)| <= N * (n * n) by rewrite NE (le_trans (cauchy_schwarz_abs _ _)) // ler_wpM2l.
  rewrite normrM (le_trans (ler_wpM2l s_ge0 cs)) // !mulrA ler_wpM2r //.
  by move: hq; rewrite ltr_pdivlMr // /q; lra.
have small := le_trans (ler_wpM2l (ltW e'_gt0) u_n) _.
have {small} : e' * fro u <= e / 2 * n by apply: small; rewrite mulrA ler_wpM2r.
have := near u u_c; rewrite -uX line => close small.
change (is_true (`|f (s *: ((B + hB) *m (A + hA)) + W) - f X - dot (s *: (B^T *m g), s *: (g *m A^T)) (hA, hB)| <= e * n)).
move: rest close; rewrite !ler_norml => /andP[? ?] /andP[? ?].
by apply/andP; split; lra.
Qed.
End Gradients.

(** Assumption 3, part 1, in a ball. *)
Lemma lipschitz_product (R : realType) (d r k : nat) (c : R) (A A' : 'M[R]_(r, k)) (B B' : 'M[R]_(d, r)) :
  opn A <= c -> opn B' <= c -> fro (A^T *m B^T - A'^T *m B'^T) <= fro (B - B') * c + fro (A - A') * c.
Proof.
move=> A_le B_le; rewrite -fro_tr.
have -> : (A^T *m B^T - A'^T *m B'^T)^T = (B - B') *m A + B' *m (A - A') by mx.
apply: le_trans (fro_triangle _ _) _; apply: lerD.
  by apply: le_trans (fro_mul_fro_op _ _) _; rewrite ler_wpM2l ?fro_ge0.
by apply: le_trans (fro_mul_op_fro _ _) _; rewrite mulrC ler_wpM2l ?fro_ge0.
Qed.

(** The adapter's change of the weight, in a ball. *)
Lemma fro_product_ball (R : realType) (d r k : nat) (c : R) (A : 'M[R]_(r, k)) (B : 'M[R]_(d, r)) :
  opn A <= c -> opn B <= c -> fro (B *m A) <= Num.sqrt r%:R * c ^+ 2.
Proof.
move=> A_le B_le; have A_ge0 : 0 <= opn A by exact: opn_ge0.
have B_ge0 : 0 <= opn B by exact: opn_ge0.
have c_ge0 : 0 <= c by exact: le_trans A_ge0 A_le.
have A_fro : fro A <= Num.sqrt r%:R * c.
  rewrite -(ler_pXn2r (n := 2)) ?nnegrE ?mulr_ge0 ?fro_ge0 ?sqrtr_ge0 //.
  rewrite exprMn [Num.sqrt r%:R ^+ 2]sqr_sqrtr ?ler0n //; apply: le_trans (rank_rows _) _; rewrite ler_wpM2l ?ler0n //.
  by rewrite ler_pXn2r ?nnegrE.
by apply: le_trans (fro_mul_op_fro _ _) _; rewrite expr2 mulrCA ler_pM ?fro_ge0.
Qed.

(** Matrices with one entry. *)
Lemma fro_entry (R : realType) (x : R) : fro (x%:M : 'M_1) = `|x|.
Proof.
have -> : x%:M = x *: (1%:M : 'M_1) by rewrite scale_scalar_mx mulr1.
by rewrite froZ /fro /= trmx1 mul1mx mxtrace1 sqrtr1 mulr1.
Qed.

Lemma opn_entry (R : realType) (x : R) : opn (x%:M : 'M_1) <= `|x|.
Proof. by rewrite -fro_entry opn_le_fro. Qed.

(** One outcome: an expectation is the number itself. *)
Section Still.
Variables (R : realType) (w : outcome (still R)).
Lemma knows_still g (U : Type) (x : outcome (still R) -> U) : knows g x. Proof. by case=> [] []. Qed.
Lemma expect_still_nothing x : expect (@nothing R (still R)) x w = x w.
Proof. by apply: (expect_of_known (g := @nothing R (still R))) => //; exact: knows_still. Qed.
Lemma expect_still_past t x : expect (@past R (still R) t) x w = x w.
Proof. by apply: expect_of_known; [exact: past_is_past | exact: knows_still]. Qed.
Lemma mean_still t m n (X : outcome (still R) -> 'M[R]_(m, n)) : mean (@past R (still R) t) X w = X w.
Proof. by apply: mean_of_known; [exact: past_is_past | exact: knows_still]. Qed.
End Still.

(** The coin shows 1 or -1. *)
Section Coin.
Variable R : realType.
Implicit Types (x : bool -> R) (w : bool).
Definition sign w : R := if w then 1 else -1.
Lemma knows_coin (U : Type) (x : nat -> bool -> U) (s : nat -> nat) t :
  (forall w v, (s t <= 1)%N -> x t w = x t v) -> knows (@past R (coin R) (s t)) (x t).
Proof.
by move=> same w v; rewrite /past /=; case: leqP => [t1 _ | _ /eqP]; [exact: same | by case: w v => [] []].
Qed.
Lemma expect_coin x w : expect (@past R (coin R) 1) x w = (x true + x false) / 2.
Proof. by rewrite /expect /weight !big_bool /=; field. Qed.
Lemma expect_coin_nothing x w : expect (@nothing R (coin R)) x w = (x true + x false) / 2.
Proof. by rewrite /expect /weight !big_bool /=; field. Qed.
Lemma mean_coin m n (X : bool -> 'M[R]_(m, n)) w : mean (@past R (coin R) 1) X w = 2^-1 *: (X true + X false).
Proof. by apply/matrixP => i j; rewrite meanE expect_coin scaleE addE mulrC. Qed.
End Coin.

(** Norms of simple matrices. *)
Section Simple.
Variable R : realType.
Lemma fro_pair0 (U V : lmodType R) (iU : inner U) (iV : inner V) : fro ((0, 0) : U * V) = 0. Proof. exact: fro0. Qed.
Lemma opn0 m n : opn (0 : 'M[R]_(m, n)) = 0. Proof. exact: opn_zero. Qed.
Lemma fro_single m n : fro (delta_mx 0 0 : 'M[R]_(m.+1, n.+1)) = 1.
Proof.
rewrite /fro /= trmx_delta mul_delta_mx /mxtrace big_ord_recl mxE eqxx big1 ?addr0 ?sqrtr1 // => i _.
by rewrite mxE.
Qed.
Lemma opn_single m n : opn (delta_mx 0 0 : 'M[R]_(m.+1, n.+1)) = 1.
Proof.
apply/le_anti/andP; split; first by rewrite -[leRHS](fro_single m n) opn_le_fro.
by rewrite -[leLHS](fro_single m 0) -(mul_delta_mx (0 : 'I_n.+1)); apply: opn_ge; rewrite fro_single.
Qed.
Lemma opn_one : opn (1%:M : 'M[R]_1) = 1.
Proof.
apply/le_anti/andP; split; first by rewrite (le_trans (opn_entry _)) ?normr1.
have := opn_ge (1%:M : 'M[R]_1) (v := 1%:M); rewrite mul1mx fro_entry normr1; exact.
Qed.
Lemma sqrt_square (x y : R) : x = y ^+ 2 -> 0 <= y -> Num.sqrt x = y.
Proof. by move=> -> y_ge0; rewrite sqrtr_sqr ger0_norm. Qed.
Lemma between (x y : R) : x + (y - x) - y = 0. Proof. by rewrite addrCA subrr addr0 subrr. Qed.
End Simple.

(** Assumption 3, part 1, in a ball, as theorems have it. *)
Lemma lipschitz_in_ball (R : realType) (T d r k : nat) (O : Type) (c : R) (A A' : nat -> O -> 'M[R]_(r, k))
  (B B' : nat -> O -> 'M[R]_(d, r)) :
  (forall t w, (1 <= t <= T)%N -> 0 <= - opn (B t w) + c) -> (forall t w, (1 <= t <= T)%N -> 0 <= - opn (B' t w) + c) ->
  (forall t w, (1 <= t <= T)%N -> 0 <= - opn (A t w) + c) -> (forall t w, (1 <= t <= T)%N -> 0 <= - opn (A' t w) + c) ->
  forall t w, (1 <= t <= T)%N -> 0 <= fro (B t w - B' t w) * c - fro ((A t w)^T *m (B t w)^T - (A' t w)^T *m (B' t w)^T)
    + fro (A t w - A' t w) * c.
Proof.
move=> _ B_le A_le _ t w rt; rewrite addrAC subr_ge0; have := A_le t w rt; have := B_le t w rt.
by rewrite ![- _ + _]addrC !subr_ge0 => b_le a_le; exact: lipschitz_product.
Qed.

(** The time is 1. *)
Ltac once_only := case=> [|[|?]] w // _.

(** Asks for a proof of each part of a world. *)
Ltac parts := lazymatch goal with |- _ /\ _ => split; [| parts] | _ => idtac end.

(** The dullest world: one outcome, one time, one entry, functions and matrices that are 0, and numbers that are 1 or
    what their definition says. [dull_letter] gives the next letter its value; [dull R] all that are left, and proves
    the hypotheses that hold there. *)
Ltac dull_letter :=
  lazymatch goal with
  | |- @ex ?U _ =>
    lazymatch U with
    | space ?R => exists (still R)
    | nat => exists 1%N
    | _ -> _ -> _ => exists (fun _ _ => 0)
    | _ -> _ => exists (fun=> 0)
    | matrix _ _ _ => exists 0
    | _ => eexists
    end
  end.
Ltac dull_domain :=
  lazymatch goal with
  | |- is_true (leq _ _) => done
  | |- is_gradient _ _ => exact: gradient_zero
  | |- forall t, knows _ _ => move=> ?; exact: knows_still
  | |- forall t w, _ -> is_true (_ < _) =>
    move=> *; lazymatch goal with |- is_true (0 < ?x) => is_evar x; exact: ltr01 end
  end.
Ltac dull_definition :=
  lazymatch goal with |- forall t w, _ -> _ + _ = 0 => move=> *; first [exact: subrr | exact: between] end.
Ltac ones R := repeat match goal with |- context [?x] => is_evar x; unify x (1 : R) end.
Ltac zeros :=
  rewrite /= ?(expect_still_nothing, expect_still_past, mean_still, mulmx0, mul0mx, scaler0, trmx0, oppr0, addr0, add0r);
  rewrite ?(subrr, fro_pair0, fro0, opn0, expr0n, mul0r, mulr0, mulr1, oppr0, addr0, add0r, subr0) /=.
Ltac dull_fact :=
  move=> *; zeros;
  lazymatch goal with
  | |- is_true true => done
  | |- 0 = 0 => done
  | |- is_true (0 <= fro _) => exact: fro_ge0
  | |- _ => lra
  end.
Ltac dull R :=
  unshelve (repeat dull_letter; parts; try dull_domain; try dull_definition; ones R; try dull_fact); try exact: (1 : R).
