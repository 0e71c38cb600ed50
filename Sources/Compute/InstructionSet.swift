package import BollyGANKernels

/// An instruction set that the hot loops are compiled for.
///
/// All levels do the same arithmetic, on narrower or wider vectors.
public enum InstructionSet: String, CaseIterable, Sendable {
  /// What every processor of the architecture has; SSE2 on x86-64.
  case baseline
  /// x86-64 with AVX2 and fused multiply-add: 8 lanes.
  case avx2
  /// x86-64 with AVX-512 F, VL, DQ and BW: 16 lanes.
  case avx512
  /// 64-bit Arm: 4 lanes.
  case neon

  /// The levels that this processor and this build have, slowest first.
  public static let available: [InstructionSet] = allCases.filter {
    unsafe bg_kernels_named($0.rawValue) != nil
  }

  /// The fastest level that this processor has.
  public static let best: InstructionSet = available.last!

  /// Whether a multiply-add is rounded once. All levels that do this produce equal bits.
  public var fusesMultiplyAdd: Bool { kernels.fused != 0 }

  /// The functions of this level.
  ///
  /// - Precondition: ``available`` contains the level.
  package var kernels: bg_kernels {
    guard let table = unsafe bg_kernels_named(rawValue) else {
      preconditionFailure("this processor has no \(rawValue)")
    }
    return unsafe table.pointee
  }
}
