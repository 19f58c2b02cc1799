"""The roads back: what each way to differentiate a solve keeps, and what its way back costs.

For N accepted steps of s stages, with states of size d, activations A of one evaluation of f, P parameters, K kept
segments, and t(N, c) the advances of binomial checkpointing with c snapshots, the last of them p on the way forth
(`schedule`). On equal steps; N' are the steps of the second solve, which adapt to an error of their own.

============  ============================  ======================  =========  ======================
road          memory                        evaluations of f back   VJPs       gradient of
============  ============================  ======================  =========  ======================
backprop      N s A                         0                       s N        the computed map
checkpoint    N d + s A                     s N                     s N        the computed map
segments      2 √N d + s A                  s (2 N - K)             s N        the computed map
binomial      log2(N) d + s A               s (N + t(N, c) - p)     s N        the computed map
adjoint       d + P + A                     s N'                    s N'       the continuous problem
interpolated  2 N d + P + A                 s N'                    s N'       the continuous problem
============  ============================  ======================  =========  ======================

``interpolated`` keeps (q + 1) N d with an own interpolation of degree q. A method whose last stage opens the next
step keeps its slope with each state. The evaluations include those of the steps whose graph is built again.
"""
