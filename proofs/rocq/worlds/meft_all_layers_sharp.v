move=> R; dull R.
by move=> *; rewrite !trmx0 !mulmx0 !scaler0 addr0 mxtrace0 fro0 expr0n /total big_nat1 !mulr0 !mul0r; lra.
