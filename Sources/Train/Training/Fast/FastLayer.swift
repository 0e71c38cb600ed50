import BollyGANCompute
import BollyGANKernels
import BollyGANModel

/// One layer of a network: a convolution, and a norm or bias before the activation.
final class FastLayer {
  /// A direction through a link.
  enum Direction {
    /// From coarse maps to fine ones: a generator's forward pass, a discriminator's backward pass.
    case up
    /// From fine maps to coarse ones: the reverse.
    case down

    var opposite: Direction { self == .up ? .down : .up }
  }

  /// The linear part in both directions, with weights in the order that each direction reads.
  enum Linear {
    /// Fast convolutions, between maps of many channels.
    case convolutions(up: UpConvolution, down: DownConvolution)
    /// The link to images, which have few channels.
    case image(up: DirectPicture, down: Panels)
    /// Direct sums, as matrix products.
    case products(up: [Panels], down: Panels)
  }

  let link: StridedLink
  /// The direction of the forward pass.
  let direction: Direction
  let kernel: FastParameter
  /// Nil for the last layer.
  let norm: FastNorm?
  let linear: Linear
  /// Nil where the kernel is used undivided.
  let spectral: FastSpectral?
  /// Whether forward passes sum nearly exactly, in float64. Recipes that replay a script do so:
  /// when rounding flips the sign of a pre-activation, gradients change by a thousand ulp, and the
  /// replay departs from its script (Documentation/Numerics.md). The generator's last layer is an
  /// exception, because its sums are short.
  let forwardsPrecisely: Bool

  /// - Parameters:
  ///   - norm: what follows the convolution; nil for the last layer.
  ///   - module: number of the convolution in the state_dict (`main.3`).
  ///   - isSpectral: whether the kernel is divided by its largest singular value.
  init(
    link: StridedLink, direction: Direction, norm kind: FastNorm.Kind?, module: Int,
    isSpectral: Bool, convolutions: TrainingConfiguration.Convolutions, loops: FastLoops
  ) {
    self.link = link
    self.direction = direction
    kernel = FastParameter(name: "main.\(module).weight", kernelOf: link)
    let (channels, stride) =
      direction == .up
      ? (link.fineChannels, link.fineStride) : (link.coarseChannels, link.coarseStride)
    norm = kind.map { FastNorm(kind: $0, channels: channels, stride: stride, module: module) }
    spectral = isSpectral ? FastSpectral(link: link, workers: loops.workers) : nil
    forwardsPrecisely = convolutions == .direct
    let kernels = loops.kernels
    if convolutions == .fast && UpConvolution.suits(link) {
      linear = unsafe .convolutions(
        up: UpConvolution(link: link, kernels: kernels),
        down: DownConvolution(link: link, kernels: kernels))
    } else if link.isNarrow {
      linear = unsafe .image(
        up: DirectPicture(link: link), down: link.downPanels(kernels: kernels))
    } else {
      linear = unsafe .products(
        up: link.upPanels(kernels: kernels), down: link.downPanels(kernels: kernels))
    }
  }

  /// Layout of the layer's output.
  func outputLayout(margin: Int) -> MapLayout {
    direction == .up ? link.fineLayout(margin: margin) : link.coarseLayout(margin: margin)
  }

  /// Number of modules in the state_dict, the activation included.
  var modules: Int { norm?.normalises == true ? 3 : 2 }

  /// The trained tensors in the order of a state_dict: kernel, bias; or kernel, scale, shift.
  var parameters: [FastParameter] { [kernel] + (norm?.parameters ?? []) }

  /// The layer's weights. Call ``refresh(_:)`` after setting them.
  var weights: LayerWeights {
    get {
      LayerWeights(
        kernel: kernel.tensor(kernel.weight),
        bias: norm.flatMap { $0.kind == .bias ? $0.shift.tensor($0.shift.weight).values : nil },
        norm: norm?.weights)
    }
    set {
      kernel.load(newValue.kernel.values, into: kernel.weight)
      guard let norm else { return }
      if let loaded = newValue.norm { norm.load(loaded) }
      if let bias = newValue.bias { norm.shift.load(bias, into: norm.shift.weight) }
    }
  }

  /// Reorders the kernel for both directions, divided if it is spectrally normalised. Call it after
  /// each change of the kernel.
  func refresh(_ loops: FastLoops) {
    let workers = loops.workers
    spectral?.normalise(kernel.weight)
    let used = unsafe (spectral?.kernel ?? kernel.weight).base
    switch linear {
    case .convolutions(let up, let down):
      unsafe up.fill(packed: used, kernels: loops.kernels, workers: workers)
      unsafe down.fill(packed: used, kernels: loops.kernels, workers: workers)
    case .image(let up, let down):
      unsafe up.fill(packed: used)
      unsafe link.fillDown(down, from: used, workers: workers)
    case .products(let up, let down):
      unsafe link.fillUp(up, from: used, workers: workers)
      unsafe link.fillDown(down, from: used, workers: workers)
    }
  }
}
