(** * Gradients

    Gradients in a real inner product space, the descent lemma and the chain rule.

    - [gradient_at f x g]: f has the gradient g at x; [is_gradient f g]: f has the gradient g x at every x.
    - [gradient_unique]: f has at most one gradient at x.
    - [descent]: how far f(x + d) is from f(x) + <g(x), d>.
    - [chain_line]: the gradients of F(u) = f(P(u)) and of f, for a P that is a polynomial along lines.

    All of them follow from one lemma: along a curve with velocity D, the slope of f is <g, D> ([slope]). *)
From mathcomp Require Import all_ssreflect all_algebra ring lra.
From mathcomp Require Import boolp classical_sets reals topology normedtype derive.
From boundcheck Require Import Norms.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory numFieldNormedType.Exports.
Local Open Scope classical_set_scope.
Local Open Scope ring_scope.

(** More on inner products and norms. *)
Section Inner.
Context {R : realType} {V : lmodType R} {iV : inner V}.

Lemma dotBl (x y z : V) : dot (x - y) z = dot x z - dot y z.
Proof. by rewrite dotDl -scaleN1r dotZl mulN1r. Qed.

Lemma norm_dot (x y : V) : `|dot x y| <= fro x * fro y.
Proof.
rewrite ler_norml cauchy_schwarz andbT lerNl -mulN1r -dotZl.
by apply: le_trans (cauchy_schwarz _ _) _; rewrite froZ normrN1 mul1r.
Qed.

Lemma fro0 : fro (0 : V) = 0.
Proof. by rewrite -(scale0r 0) froZ normr0 mul0r. Qed.

Lemma fro_sum (I : finType) (q : I -> V) : fro (\sum_i q i) <= \sum_i fro (q i).
Proof.
apply: (big_ind2 (fun x b => fro x <= b)) => [|x b y c xb yc|//]; first by rewrite fro0.
by rewrite (le_trans (fro_triangle _ _)) // lerD.
Qed.
End Inner.

Section Gradients.
Context {R : realType} {V : lmodType R} {iV : inner V}.
(** f(x + h) = f(x) + <g, h> + o(|h|). *)
Definition gradient_at (f : V -> R) (x g : V) := forall e : R, 0 < e ->
  exists2 d : R, 0 < d & forall h, fro h < d -> `|f (x + h) - f x - dot g h| <= e * fro h.
Definition is_gradient (f : V -> R) (g : V -> V) := forall x, gradient_at f x (g x).

(** Let the curve be c(s + h) = c(s) + h D + r, with |r| <= e |h| where h is small, for every e > 0. Its step
    u = h D + r has |u| <= (|D| + 1) |h| where e <= 1, and f(c(s) + u) - f(c(s)) is <g, u> = h <g, D> + <g, r> up to
    e |u|. So it is h <g, D> up to e (|D| + 1 + |g|) |h|, which is at most E |h| if e is small enough. *)
Lemma slope (f : V -> R) (g D : V) (c : R -> V) (s : R) :
  gradient_at f (c s) g ->
  (forall e : R, 0 < e ->
    exists2 d : R, 0 < d & forall h, `|h| < d -> fro (c (s + h) - c s - h *: D) <= e * `|h|) ->
  is_derive s 1 (fun t => f (c t)) (dot g D).
Proof.
move=> fg cD; set l := dot g D.
suff to : h^-1 *: (((fun t => f (c t)) \o shift s) (h *: (1 : R)) - f (c s)) @[h --> 0^'] --> l.
  by split; [exact: cvgP to | exact: cvg_lim to].
apply/cvgrPdist_le => E E_gt0.
have D_ge0 : 0 <= fro D by exact: fro_ge0.
have g_ge0 : 0 <= fro g by exact: fro_ge0.
have [K KE] : exists K, K = fro D + 1 + fro g by eexists.
have K_gt0 : 0 < K by lra.
pose e := E / (K + E).
have e_gt0 : 0 < e by rewrite divr_gt0 ?addr_gt0.
have e_le1 : e <= 1 by rewrite ler_pdivrMr ?addr_gt0 //; lra.
have eK : e * K <= E by rewrite mulrAC ler_pdivrMr ?addr_gt0 // ler_pM2l //; lra.
have [d d_gt0 near_f] := fg e e_gt0; have [d' d'_gt0 near_c] := cD e e_gt0.
near=> h.
have h_neq0 : h != 0 by near: h; exact: nbhs_dnbhs_neq.
have h_d' : `|h| < d' by near: h; exact: dnbhs0_lt.
have h_d : `|h| * K < d by rewrite -ltr_pdivlMr //; near: h; apply: dnbhs0_lt; rewrite divr_gt0.
pose u := c (s + h) - c s; pose r := u - h *: D.
have uE : u = h *: D + r by rewrite addrC subrK.
have r_le : fro r <= e * `|h| := near_c h h_d'.
have u_le : fro u <= `|h| * (fro D + 1).
  rewrite uE (le_trans (fro_triangle _ _)) // froZ mulrDr lerD2l (le_trans r_le) //.
  by rewrite mulr1 ler_piMl.
have u_d : fro u < d by rewrite (le_lt_trans u_le) // (le_lt_trans _ h_d) // ler_wpM2l //; lra.
have gu : dot g u = h * l + dot g r by rewrite uE dotDr dotZr.
have gr_le : `|dot g r| <= fro g * (e * `|h|) by rewrite (le_trans (norm_dot _ _)) // ler_wpM2l.
have f_le : `|f (c (s + h)) - f (c s) - dot g u| <= e * (`|h| * (fro D + 1)).
  by rewrite -{1}[c (s + h)](subrK (c s)) [_ + c s]addrC (le_trans (near_f u u_d)) // ler_pM2l.
rewrite /= [h%:A]mulr1 [h + s]addrC; set change := f _ - _ in f_le *.
rewrite -(ler_pM2r (x := `|h|)) ?normr_gt0 // -normrM mulrBl [_ *: change]mulrC mulfVK //.
have : e * K * `|h| <= E * `|h| by rewrite ler_wpM2r.
move: f_le gr_le; rewrite gu KE !ler_norml => /andP[? ?] /andP[? ?] ?.
by apply/andP; split; lra.
Unshelve. all: by end_near. Qed.

(** A line has no remainder r. *)
Lemma slope_line (f : V -> R) (g x d : V) (s : R) :
  gradient_at f (x + s *: d) g -> is_derive s 1 (fun t => f (x + t *: d)) (dot g d).
Proof.
move=> fg; apply: (slope (c := fun t => x + t *: d)) => // e e_gt0; exists 1 => // h _.
by rewrite scalerDl addrA [_ + h *: d]addrC addrK subrr fro0 mulr_ge0 // ltW.
Qed.

Lemma slope_unique (phi : R -> R) (s a b : R) : is_derive s 1 phi a -> is_derive s 1 phi b -> a = b.
Proof. by move=> [_ <-] [_ <-]. Qed.

(** Along g - h the slope of f is <g, g - h> and <h, g - h>, so |g - h|^2 = 0. *)
Lemma gradient_unique f x g h : gradient_at f x g -> gradient_at f x h -> g = h.
Proof.
move=> fg fh; have start : x + 0 *: (g - h) = x by rewrite scale0r addr0.
have gh : dot g (g - h) = dot h (g - h).
  by apply: (@slope_unique (fun s => f (x + s *: (g - h))) 0); apply: slope_line; rewrite start.
by apply/subr0_eq/dot_eq0; rewrite dotBl gh subrr.
Qed.

(** The descent lemma (Nesterov, Lectures on Convex Optimization, 2018, lemma 1.2.3). It suffices that the gradient's
    change is bounded on the segment from x to x + d. With the sign c of A = f(x + d) - f(x) - <g(x), d>, the function
    psi(s) = c (f(x + s d) - s <g(x), d>) - s^2 L/2 |d|^2 has psi(1) - psi(0) = |A| - L/2 |d|^2, and by Cauchy-Schwarz
    its slope c <g(x + s d) - g(x), d> - s L |d|^2 is at most 0; the mean value theorem does the rest. *)
Lemma descent (f : V -> R) (g : V -> V) (x d : V) (L : R) :
  is_gradient f g ->
  (forall s : R, 0 <= s -> 0 <= 1 - s -> 0 <= L * s * fro d - fro (g (x + s *: d) - g x)) ->
  `|f (x + d) - f x - dot (g x) d| <= L / 2 * fro d ^+ 2.
Proof.
move=> fg gL; set A := _ - dot _ d; set b := L / 2 * _.
have d_ge0 : 0 <= fro d by exact: fro_ge0.
have [a aE] : exists a, a = dot (g x) d by eexists.
have line (s : R) : is_derive s 1 (fun s => f (x + s *: d)) (dot (g (x + s *: d)) d).
  exact/slope_line/fg.
pose psi (s : R) := Num.sg A * (f (x + s *: d) - s * a) - b * s ^+ 2.
have psi_slope (s : R) : is_derive s 1 psi (Num.sg A * (dot (g (x + s *: d)) d - a) - b * (2 * s)).
  by apply: is_derive_eq; rewrite /GRing.scale /=; ring.
have [|s] := MVT_segment ler01 (fun s _ => psi_slope s).
  by apply: derivable_within_continuous => s _; exact: ex_derive.
rewrite in_itv /= subr0 mulr1 => /andP[s_ge0 s_le1].
have -> : psi 1 - psi 0 = `|A| - b.
  by rewrite /psi scale0r addr0 scale1r [in RHS]normrEsg /A -aE; ring.
rewrite aE -dotBl -subr_le0 => ->; rewrite subr_le0 (le_trans (ler_norm _)) // normrM.
rewrite (le_trans (ler_piMl _ _)) ?normr_sg ?lern1 ?leq_b1 // (le_trans (norm_dot _ _)) //.
have := gL s s_ge0; rewrite !subr_ge0 => /(_ s_le1) g_le.
by rewrite (le_trans (ler_wpM2r d_ge0 g_le)) // /b; lra.
Qed.
End Gradients.

Section Chain.
Context {R : realType} {U V : lmodType R} {iU : inner U} {iV : inner V}.
(** The chain rule (Magnus and Neudecker, Matrix Differential Calculus, chapter 5). Along the curve
    P(x + s h) = P(x) + s D + s^2 (Q_0 + s Q_1 + ...), the two slopes at 0 agree. The remainder is at most
    s^2 (|Q_0| + |Q_1| + ...) where |s| <= 1. *)
Lemma chain_line (F : U -> R) (f : V -> R) (P : U -> V) (x h gx : U) (gy D : V) (Q : seq V) :
  gradient_at F x gx -> gradient_at f (P x) gy -> (forall u, F u = f (P u)) ->
  (forall s : R, P (x + s *: h) = P x + s *: D + s ^+ 2 *: \sum_(i < size Q) s ^+ i *: nth 0 Q i) ->
  dot gx h = dot gy D.
Proof.
move=> Fx fy FfP curve; have start : x + 0 *: h = x by rewrite scale0r addr0.
apply: (@slope_unique _ (fun s => F (x + s *: h)) 0); first by apply: slope_line; rewrite start.
rewrite (funext FfP : F = _).
apply: (slope (c := fun s => P (x + s *: h))) => [|e e_gt0]; first by rewrite start.
have [M ME] : exists M, M = \sum_(i < size Q) fro (nth 0 Q i) by eexists.
have M_ge0 : 0 <= M by rewrite ME sumr_ge0 // => i _; exact: fro_ge0.
have M1_gt0 : 0 < M + 1 by lra.
exists (Num.min 1 (e / (M + 1))) => [|s]; first by rewrite lt_min ltr01 divr_gt0.
rewrite lt_min ltr_pdivlMr // mulrDr mulr1 => /andP[/ltW s_le1 s_small].
have sum_le : fro (\sum_(i < size Q) s ^+ i *: nth 0 Q i) <= M.
  rewrite (le_trans (fro_sum _)) // ME ler_sum // => i _.
  by rewrite froZ normrX ler_piMl ?fro_ge0 // exprn_ile1.
rewrite add0r start curve -[X in fro X]addrA -opprD [X in X - _]addrC addrK.
rewrite froZ normrX expr2 -mulrA mulrC ler_wpM2r // (le_trans (ler_wpM2l _ sum_le)) //.
by have := normr_ge0 s; lra.
Qed.
End Chain.
