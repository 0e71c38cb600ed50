import BollyGANCompute
import BollyGANKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// Loops over all parameters: the gradient's norm, and Adam's update.

extension FastParameter {
  /// Values in one task of a loop over parameters: 256 KiB, enough to be worth handing to a thread.
  static let slice = 1 << 16
}

extension FastLoops {
  /// The sum of squares of all numbers of a buffer.
  ///
  /// It is finite if and only if all numbers are: squares of float32 numbers do not overflow in
  /// float64, nor does their sum.
  func sumOfSquares(_ buffer: FloatBuffer) -> Double {
    let slice = FastParameter.slice
    return workers.map((buffer.count + slice - 1) / slice) { task in
      let end = min(buffer.count, (task + 1) * slice)
      var lanes = SIMD8<Double>()
      var index = task * slice
      while index + 8 <= end {
        let place = unsafe UnsafeRawPointer(buffer.base + index)
        let values = SIMD8<Double>(unsafe place.loadUnaligned(as: SIMD8<Float>.self))
        lanes += values * values
        index += 8
      }
      while index < end {
        let value = unsafe Double(buffer.base[index])
        lanes[0] += value * value
        index += 1
      }
      return lanes.sum()
    }.reduce(0, +)
  }

  /// One update of all parameters by Adam, equal to `torch.optim.Adam`'s up to rounding.
  ///
  /// - Parameters:
  ///   - rate: learning rate.
  ///   - beta1: decay of the first moment.
  ///   - beta2: decay of the second moment.
  ///   - step: number of this update, from 1.
  /// - Returns: For each parameter, whether its weights and moments are all finite afterwards.
  /// - SeeAlso: Kingma and Ba 2015 (arXiv:1412.6980), algorithm 1.
  func adam(
    _ parameters: [FastParameter], rate: Double, beta1: Double, beta2: Double, step: Int
  ) -> [Bool] {
    let constants = bg_adam(
      one_minus_beta1: Float(1 - beta1), beta2: Float(beta2),
      one_minus_beta2: Float(1 - beta2),
      step_size: Float(rate / (1 - pow(beta1, Double(step)))),
      root_of_correction2: Float((1 - pow(beta2, Double(step))).squareRoot()), epsilon: 1e-8)
    let slice = FastParameter.slice
    let work = parameters.indices.flatMap { index in
      stride(from: 0, to: parameters[index].weight.count, by: slice).map { (index, $0) }
    }
    let found = workers.map(work.count) { task in
      let (index, start) = work[task]
      let parameter = parameters[index]
      var constants = constants
      return unsafe kernels.adam(
        min(slice, parameter.weight.count - start), parameter.gradient.base + start,
        parameter.first.base + start, parameter.second.base + start,
        parameter.weight.base + start, &constants) != 0
    }
    var areFinite = [Bool](repeating: true, count: parameters.count)
    for (task, isFinite) in found.enumerated() where !isFinite { areFinite[work[task].0] = false }
    return areFinite
  }
}
