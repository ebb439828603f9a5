// Every update rule, once. The table, the names JavaScript sees, the tests and the benches come from this list.
#pragma once
#define GRADSTEP_OPTIMIZERS(X) \
  X(GradientDescent)           \
  X(Momentum)                  \
  X(NesterovMomentum)          \
  X(Adam)                      \
  X(AdamW)                     \
  X(AMSGrad)                   \
  X(Nadam)                     \
  X(Adamax)                    \
  X(Adagrad)                   \
  X(TfjsAdagrad)               \
  X(AdagradDA)                 \
  X(Adadelta)                  \
  X(TfjsAdadelta)              \
  X(RMSProp)                   \
  X(CenteredRMSProp)           \
  X(Ftrl)                      \
  X(ProximalGradientDescent)   \
  X(ProximalAdagrad)           \
  X(Lion)                      \
  X(Lamb)                      \
  X(Lars)                      \
  X(NesterovLars)
