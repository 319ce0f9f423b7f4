(** Gradients, the chain rule along polynomial curves, and the descent lemma on a segment. *)
From mathcomp Require Import all_ssreflect all_algebra ring lra.
From mathcomp Require Import classical_sets reals.
From boundcheck Require Import Norms.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Gradients.
Context {R : realType} {V : lmodType R} {iV : inner V}.
(** f(x + h) = f(x) + <g, h> + o(|h|). *)
Definition gradient_at (f : V -> R) (x g : V) := forall e : R, 0 < e ->
  exists2 d : R, 0 < d & forall h, fro h < d -> `|f (x + h) - f x - dot g h| <= e * fro h.
Definition is_gradient (f : V -> R) (g : V -> V) := forall x, gradient_at f x (g x).
Lemma gradient_unique f x g h : gradient_at f x g -> gradient_at f x h -> g = h. Admitted.
(** It suffices that the gradient's change is bounded on the segment from x to x + d. *)
Lemma descent (f : V -> R) (g : V -> V) (x d : V) (L : R) :
  is_gradient f g ->
  (forall s : R, 0 <= s -> 0 <= 1 - s -> 0 <= L * s * fro d - fro (g (x + s *: d) - g x)) ->
  `|f (x + d) - f x - dot (g x) d| <= L / 2 * fro d ^+ 2. Admitted.
End Gradients.

Section Chain.
Context {R : realType} {U V : lmodType R} {iU : inner U} {iV : inner V}.
(** Along the curve P(x + s h) = P(x) + s D + s^2 (Q_0 + s Q_1 + ...), the two slopes at 0 agree. *)
Lemma chain_line (F : U -> R) (f : V -> R) (P : U -> V) (x h gx : U) (gy D : V) (Q : seq V) :
  gradient_at F x gx -> gradient_at f (P x) gy -> (forall u, F u = f (P u)) ->
  (forall s : R, P (x + s *: h) = P x + s *: D + s ^+ 2 *: \sum_(i < size Q) s ^+ i *: nth 0 Q i) ->
  dot gx h = dot gy D. Admitted.
End Chain.
