import BollyGANInfer
import BollyGANKernels

extension FastLoops {
  /// Whether every number in each of the buffers is one.
  func areFinite(_ buffers: [FloatBuffer]) -> [Bool] {
    let slice = FastParameter.slice
    let work = buffers.indices.flatMap { index in
      stride(from: 0, to: buffers[index].count, by: slice).map { (index, $0) }
    }
    let found = workers.map(work.count) { task in
      let (index, start) = work[task]
      let buffer = buffers[index]
      return unsafe kernels.all_finite(min(slice, buffer.count - start), buffer.base + start) != 0
    }
    var areFinite = [Bool](repeating: true, count: buffers.count)
    for (task, isFinite) in found.enumerated() where !isFinite { areFinite[work[task].0] = false }
    return areFinite
  }

  /// Looks at all that an update and the passes before it changed: weights, Adam's moments, running
  /// statistics. Finite gradients do not say it: a variance of large outputs overflows where the
  /// outputs do not, and so does Adam's step where the rate is beyond reason.
  ///
  /// - Throws: ``NonFiniteError`` naming the first tensor, or the normalisation, that has a number
  ///   which is none.
  func check(_ layers: [FastLayer], names: [String], _ network: String) throws {
    let parameters = layers.flatMap(\.parameters)
    let areFinite = areFinite(parameters.flatMap { [$0.weight, $0.first, $0.second] })
    if let place = areFinite.firstIndex(of: false) {
      throw NonFiniteError(place: "\(network) \(names[place / 3])")
    }
    var first = 0
    for layer in layers {
      if let norm = layer.norm, norm.normalises,
        !(norm.runningMean + norm.runningVariance).allSatisfy(\.isFinite)
      {
        // `main.1.weight` is the scale of `main.1`.
        let name = names[first + 1].split(separator: ".").dropLast().joined(separator: ".")
        throw NonFiniteError(place: "\(network) \(name)")
      }
      first += layer.parameters.count
    }
  }
}
