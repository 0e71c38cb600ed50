#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// Interpolates between latents.

extension Latents {
  /// Linear interpolation from `a` (t = 0) to `b` (t = 1).
  ///
  /// Intermediate vectors are shorter than those that the generator was trained on, which makes
  /// faces more regular. ``slerp(_:_:_:)`` avoids this.
  ///
  /// - Precondition: `a` and `b` have the same length.
  public static func lerp(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>, _ t: Double) -> [Float] {
    mixed(a, b, 1 - t, t)
  }

  /// Spherical interpolation from `a` (t = 0) to `b` (t = 1): a point on the arc between them.
  ///
  /// The direction turns at constant speed, and the length stays in the range that is typical of
  /// normal latents. If the vectors are parallel or one is zero, there is no unique arc, and the
  /// interpolation is linear.
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
    // The sine is NaN if a vector is zero. Near 0 the weights below lose precision.
    guard sine > 1e-6 else { return lerp(a, b, t) }
    return mixed(a, b, sin((1 - t) * angle) / sine, sin(t * angle) / sine)
  }

  private static func mixed(
    _ a: ArraySlice<Float>, _ b: ArraySlice<Float>, _ weightA: Double, _ weightB: Double
  ) -> [Float] {
    precondition(a.count == b.count, "the vectors have \(a.count) and \(b.count) numbers")
    return zip(a, b).map { Float(weightA * Double($0) + weightB * Double($1)) }
  }
}
