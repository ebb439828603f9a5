// Every update rule, once. The table, the names JavaScript sees, the tests and the benches come from this list.
#pragma once
#define GRADSTEP_OPTIMIZERS(X) X(GradientDescent) X(Momentum) X(NesterovMomentum) X(Adam)
