import BollyGANCompute
import BollyGANModel

/// A trained tensor: its values, their gradient and Adam's two moments.
///
/// All four are stored in the order in which the loops read weights. Padding stays zero in all
/// four.
final class FastParameter {
  /// The tensor's name in a state_dict (`main.0.weight`, ...).
  let name: String
  let weight: FloatBuffer
  let gradient: FloatBuffer
  /// Adam's first moment.
  let first: FloatBuffer
  /// Adam's second moment.
  let second: FloatBuffer
  private let shape: [Int]
  /// The link whose kernel this is; nil for one value per channel.
  private let link: StridedLink?

  private init(name: String, shape: [Int], link: StridedLink?, count: Int) {
    self.name = name
    self.shape = shape
    self.link = link
    weight = FloatBuffer(count: count)
    gradient = FloatBuffer(count: count)
    first = FloatBuffer(count: count)
    second = FloatBuffer(count: count)
  }

  /// The kernel `[coarseChannels, fineChannels, 4, 4]` of a link, stored as
  /// `[coarseChannels, 4, 4, fineStride]`.
  convenience init(name: String, kernelOf link: StridedLink) {
    self.init(
      name: name, shape: [link.coarseChannels, link.fineChannels, 4, 4], link: link,
      count: link.weightCount)
  }

  /// One value per channel, padded to `stride` values.
  convenience init(name: String, channels: Int, stride: Int) {
    self.init(name: name, shape: [channels], link: nil, count: stride)
  }

  /// The contents of one of the four buffers as PyTorch orders them, without padding.
  func tensor(_ buffer: FloatBuffer) -> Tensor {
    Tensor(
      shape: shape, values: link?.unpacked(buffer) ?? Array(buffer.array.prefix(shape[0])))
  }

  /// Fills one of the four buffers from values in PyTorch's order.
  func load(_ values: [Float], into buffer: FloatBuffer) {
    if let link {
      link.packed(values, into: buffer)
    } else {
      precondition(values.count == shape[0], "\(name) has \(shape[0]) values")
      for (channel, value) in values.enumerated() { buffer[channel] = value }
    }
  }
}
