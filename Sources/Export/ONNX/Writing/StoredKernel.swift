import BollyGANModel

/// A kernel as a file stores it, and the values that a reader gets back.
struct StoredKernel {
  /// The tensor to write.
  var tensor: ONNXModel.Tensor
  /// One factor per output channel, for 8-bit storage.
  var factors: [Float]?
  /// The values that a reader gets back.
  var restored: Tensor

  /// Rounds a kernel to the storage.
  ///
  /// - Parameter outputAxis: the axis of output channels; 8-bit storage has one factor for each.
  init(_ kernel: Tensor, name: String, storage: ONNXExportOptions.Storage, outputAxis: Int) {
    restored = kernel
    let type: ONNXModel.ElementType
    let bytes: [UInt8]
    switch storage {
    case .f32:
      type = .float
      bytes = Array(StoredTensor(kernel).bytes)
    case .f16:
      type = .float16
      bytes = Array(StoredTensor(kernel, type: .f16).bytes)
      restored.values = kernel.values.map { float(binary16: binary16($0)) }
    case .bf16:
      type = .bfloat16
      bytes = Array(StoredTensor(kernel, type: .bf16).bytes)
      restored.values = kernel.values.map { float(bfloat16: bfloat16($0)) }
    case .int8:
      type = .int8
      let outputs = kernel.shape[outputAxis]
      let run = kernel.shape[(outputAxis + 1)...].reduce(1, *)
      var largest = [Float](repeating: 0, count: outputs)
      let values = kernel.values
      for (index, value) in values.enumerated() {
        let output = index / run % outputs
        largest[output] = max(largest[output], abs(value))
      }
      // A channel of zeros needs a factor that is not 0.
      let factors = largest.map { $0 > 0 ? $0 / 127 : 1 }
      var steps: [UInt8] = []
      steps.reserveCapacity(values.count)
      var restoredValues: [Float] = []
      restoredValues.reserveCapacity(values.count)
      for (index, value) in values.enumerated() {
        let factor = factors[index / run % outputs]
        let step = Int8(max(-127, min(127, (value / factor).rounded(.toNearestOrEven))))
        steps.append(UInt8(bitPattern: step))
        restoredValues.append(Float(step) * factor)
      }
      restored.values = restoredValues
      bytes = steps
      self.factors = factors
    }
    tensor = ONNXModel.Tensor(
      name: name, type: type, dimensions: kernel.shape.map(Int64.init), contents: .raw(bytes))
  }
}
