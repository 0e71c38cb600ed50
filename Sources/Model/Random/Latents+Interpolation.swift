#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Latents {
  /// The point at `t` on the straight line from `a` (t = 0) to `b` (t = 1).
  ///
  /// In between, vectors are shorter than the generator has seen in training, and faces more
  /// regular; see ``slerp(_:_:_:)``.
  ///
  /// - Precondition: `a` and `b` have the same length.
  public static func lerp(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>, _ t: Double) -> [Float] {
    mixed(a, b, 1 - t, t)
  }

  /// The point at `t` on the arc from `a` (t = 0) to `b` (t = 1): the direction turns evenly, the
  /// length goes from one to the other as long as a normal latent is.
  ///
  /// Where the two vectors point the same way, or opposite ways, or one is zero, there is no arc, and
  /// the line is taken.
  ///
  /// - Precondition: `a` and `b` have the same length.
  /// - SeeAlso: Shoemake 1985, doi:10.1145/325334.325242; White 2016 (arXiv:1609.04468).
  public static func slerp(
    _ a: ArraySlice<Float>, _ b: ArraySlice<Float>, _ t: Double
  ) -> [Float] {
    func product(_ x: ArraySlice<Float>, _ y: ArraySlice<Float>) -> Double {
      zip(x, y).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    let cosine = product(a, b) / (product(a, a) * product(b, b)).squareRoot()
    let angle = acos(max(-1, min(1, cosine)))
    let sine = sin(angle)
    // Not a number where a vector is zero; near 0 the weights below lose their digits.
    guard sine > 1e-6 else { return lerp(a, b, t) }
    return mixed(a, b, sin((1 - t) * angle) / sine, sin(t * angle) / sine)
  }

  private static func mixed(
    _ a: ArraySlice<Float>, _ b: ArraySlice<Float>, _ weightA: Double, _ weightB: Double
  ) -> [Float] {
    precondition(a.count == b.count, "vectors of \(a.count) and \(b.count) numbers")
    return zip(a, b).map { Float(weightA * Double($0) + weightB * Double($1)) }
  }
}
