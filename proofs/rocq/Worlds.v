(** * Worlds

    Small worlds in which the hypotheses of exported theorems hold: a theorem whose hypotheses nothing meets says
    nothing.

    - [still R], [coin R]: a probability space with one outcome, and that of a fair coin which is thrown at time 1.
    - [gradient_zero], [gradient_half_square], [gradient_adapter]: functions that have a gradient. *)
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

(** Asks for a proof of each hypothesis of a theorem [said] whose letters have values. What comes after the hypotheses
    is the conclusion, which is for all times or all values of letters. *)
Ltac meet said :=
  lazymatch type of said with
  | ?hypothesis -> ?conclusion =>
    let met := fresh "met" in
    lazymatch hypothesis with forall _, _ => exact I | _ => idtac end;
    assert (met : hypothesis); [hnf | specialize (said met); clear met; meet said]
  | forall _, _ => exact I
  end.
