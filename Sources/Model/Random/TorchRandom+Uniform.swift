// PyTorch's uniform numbers.

extension TorchRandom {
  /// The number of `torch.rand(1)`: a multiple of 2^-24 in 0..<1.
  public mutating func uniform() -> Float {
    Float(engine.next32() & 0xff_ffff) * 0x1p-24
  }

  /// The number of `torch.rand(1, dtype=torch.float64)`: a multiple of 2^-53 in 0..<1.
  public mutating func uniform64() -> Double {
    Double(next64() & 0x1f_ffff_ffff_ffff) * 0x1p-53
  }

  /// The numbers of `torch.empty(count).uniform_(from, to)`.
  public mutating func uniforms(count: Int, from: Double = 0, to: Double = 1) -> [Float] {
    let from = Float(from)
    let width = Float(to) - from
    return (0..<count).map { _ in
      let u = uniform()
      return switch arithmetic {
      case .avx2: from.addingProduct(u, width)
      case .libm: u * width + from
      }
    }
  }

  /// The numbers of `torch.empty(count, dtype=torch.float64).uniform_(from, to)`.
  public mutating func uniforms64(count: Int, from: Double = 0, to: Double = 1) -> [Double] {
    let width = to - from
    return (0..<count).map { _ in
      let u = uniform64()
      return switch arithmetic {
      case .avx2: from.addingProduct(u, width)
      case .libm: u * width + from
      }
    }
  }
}
