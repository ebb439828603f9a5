// Every elementwise function, once. Tables, names and tests come from these lists.
#pragma once
#define GRADSTEP_UNARY(X) \
  X(Negative)             \
  X(Square)               \
  X(Sqrt)                 \
  X(Exp)                  \
  X(Log)                  \
  X(Relu)                 \
  X(Sigmoid)              \
  X(Tanh)                 \
  X(Abs)                  \
  X(Sign)

#define GRADSTEP_BINARY(X) \
  X(Add)                   \
  X(Subtract)              \
  X(Multiply)              \
  X(Divide)                \
  X(Minimum)               \
  X(Maximum)               \
  X(LessEqual)             \
  X(GreaterEqual)          \
  X(SqrtGradient)          \
  X(LogGradient)           \
  X(SquareGradient)        \
  X(ReluGradient)          \
  X(SigmoidGradient)       \
  X(TanhGradient)          \
  X(SigmoidCrossEntropy)   \
  X(SigmoidMinus)
