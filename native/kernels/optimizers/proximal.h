// Forward-backward splitting (Duchi & Singer 2009): a gradient step, then the proximal step of the L1 and L2 terms.
//
//   e = lr                                   proximal gradient descent
//   a <- a + g^2       e = lr / sqrt(a)      proximal Adagrad
//   p = w - e g
//   w <- sign(p) max(|p| - e l1, 0) / (1 + e l2)
namespace gradstep {
namespace SIMD_ISA {

template <class V> struct ProximalGradientDescent {
  static constexpr const char* kName = "proximalGradientDescent";
  static constexpr auto kSlots = names();
  static constexpr auto kHyper = names("learningRate", "l1RegularizationStrength", "l2RegularizationStrength");

  using T = typename V::Scalar;
  V lr, l1, l2;
  explicit ProximalGradientDescent(const double* h) : lr(T(h[0])), l1(T(l1_strength(h[1]))), l2(T(h[2])) {}

  V proximal(V w, V g, V e) const { return shrink(fnma(e, g, w), e * l1) / fma(e, l2, V(1)); }

  void operator()(V& w, V g, V*) const { w = proximal(w, g, lr); }
};

template <class V> struct ProximalAdagrad : ProximalGradientDescent<V> {
  static constexpr const char* kName = "proximalAdagrad";
  static constexpr auto kSlots = names("accumulator");
  using ProximalGradientDescent<V>::ProximalGradientDescent;

  void operator()(V& w, V g, V* slots) const {
    V& a = slots[0];
    a = fma(g, g, a);
    w = this->proximal(w, g, this->lr / sqrt(a));
  }
};

}  // namespace SIMD_ISA
}  // namespace gradstep
