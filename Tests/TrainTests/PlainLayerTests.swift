import BollyGANModel
import BollyGANRuns
import BollyGANTraining
import Foundation
import Testing

/// Checks a gradient against central differences of the function itself, in float64.
///
/// With a step h the error of a difference is h² · f‴/6 plus f · 10^-16/h. h = 10^-5 makes both
/// about 10^-10 for functions and slopes of order 1, so a tolerance of 10^-6 leaves room for larger
/// third derivatives and smaller slopes only.
private func expectGradient(
  _ gradient: [Double], of function: ([Double]) -> Double, at point: [Double], _ name: Comment,
  step: Double = 1e-5, tolerance: Double = 1e-6, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(gradient.count == point.count, name, sourceLocation: sourceLocation)
  let largest = gradient.map(abs).max() ?? 0
  #expect(largest > 1e-3, "a gradient of zeros proves nothing", sourceLocation: sourceLocation)
  var worst = 0.0
  for index in point.indices {
    var (above, below) = (point, point)
    above[index] += step
    below[index] -= step
    let difference = (function(above) - function(below)) / (2 * step)
    worst = max(worst, abs(difference - gradient[index]) / largest)
  }
  #expect(worst < tolerance, name, sourceLocation: sourceLocation)
}

private func dot(_ a: [Double], _ b: [Double]) -> Double {
  zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
}

@Suite("Plain layers")
struct PlainLayerTests {
  static let convolutions = [
    PlainConvolution(coarseChannels: 3, fineChannels: 2, coarseSide: 1),
    PlainConvolution(coarseChannels: 2, fineChannels: 3, coarseSide: 4),
    PlainConvolution(coarseChannels: 1, fineChannels: 1, coarseSide: 8),
  ]

  @Test("a convolution equals the sum that defines it", arguments: convolutions)
  func definition(layer: PlainConvolution) {
    let fine = Formula.uniform(salt: 1, count: 2 * layer.fineSize)
    let kernel = Formula.uniform(salt: 2, count: layer.coarseChannels * layer.fineChannels * 16)
    var expected: [Double] = []
    for n in 0..<2 {
      for o in 0..<layer.coarseChannels {
        for p in 0..<layer.coarseSide {
          for q in 0..<layer.coarseSide {
            var sum = 0.0
            for c in 0..<layer.fineChannels {
              for u in 0..<4 {
                for v in 0..<4 {
                  let y = layer.stride * p + u - layer.padding
                  let x = layer.stride * q + v - layer.padding
                  let sides = 0..<layer.fineSide
                  guard sides.contains(y), sides.contains(x) else { continue }
                  sum +=
                    fine[((n * layer.fineChannels + c) * layer.fineSide + y) * layer.fineSide + x]
                    * kernel[((o * layer.fineChannels + c) * 4 + u) * 4 + v]
                }
              }
            }
            expected.append(sum)
          }
        }
      }
    }
    let found = layer.down(fine, kernel: kernel, count: 2)
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-13 })
  }

  @Test(
    "down, up and the kernel's gradient match finite differences", arguments: convolutions)
  func convolution(layer: PlainConvolution) {
    let fine = Formula.uniform(salt: 1, count: 2 * layer.fineSize)
    let coarse = Formula.uniform(salt: 3, count: 2 * layer.coarseSize)
    let kernel = Formula.uniform(salt: 2, count: layer.coarseChannels * layer.fineChannels * 16)
    // The scalar ⟨coarse, down(fine)⟩ = ⟨up(coarse), fine⟩ in each of its three arguments.
    expectGradient(
      layer.up(coarse, kernel: kernel, count: 2),
      of: { dot(coarse, layer.down($0, kernel: kernel, count: 2)) }, at: fine, "down to its input")
    expectGradient(
      layer.down(fine, kernel: kernel, count: 2),
      of: { dot(layer.up($0, kernel: kernel, count: 2), fine) }, at: coarse, "up to its input")
    let toKernel = layer.kernelGradient(coarse: coarse, fine: fine, count: 2)
    expectGradient(
      toKernel, of: { dot(coarse, layer.down(fine, kernel: $0, count: 2)) }, at: kernel,
      "down to its kernel")
    expectGradient(
      toKernel, of: { dot(layer.up(coarse, kernel: $0, count: 2), fine) }, at: kernel,
      "up to its kernel")
  }

  @Test("batch normalisation's gradients include its statistics")
  func norm() {
    let (count, channels, plane) = (3, 2, 4)
    var weights = NormWeights(channels: channels)
    weights.scale = [1.25, -0.5]
    weights.shift = [0.125, 2]
    let norm = PlainNorm<Double>(weights)
    let x = Formula.uniform(salt: 4, count: count * channels * plane)
    let toOutput = Formula.uniform(salt: 5, count: x.count)
    func output(_ x: [Double], scale: [Double]? = nil, shift: [Double]? = nil) -> Double {
      var norm = norm
      norm.scale = scale ?? norm.scale
      norm.shift = shift ?? norm.shift
      return dot(toOutput, norm.forward(x, count: count).y)
    }
    var copy = norm
    let record = copy.forward(x, count: count).record
    let gradients = norm.backward(toOutput, record: record, count: count)
    expectGradient(gradients.input, of: { output($0) }, at: x, "to the input")
    expectGradient(gradients.scale, of: { output(x, scale: $0) }, at: norm.scale, "to the scale")
    expectGradient(gradients.shift, of: { output(x, shift: $0) }, at: norm.shift, "to the shift")
  }

  @Test("running statistics move a tenth of the way to the batch's, the variance unbiased")
  func runningStatistics() {
    var norm = PlainNorm<Double>(NormWeights(channels: 1))
    _ = norm.forward([1, 2, 3, 6], count: 2)
    // Mean 3; squares around it 4 + 1 + 0 + 9 = 14, over 3.
    #expect(abs(norm.runningMean[0] - 0.3) < 1e-15)
    #expect(abs(norm.runningVariance[0] - (0.9 + 0.1 * 14 / 3)) < 1e-15)
    #expect(norm.batchesTracked == 1)
    let y = norm.evaluate([0.3], count: 1)
    #expect(abs(y[0]) < 1e-15, "the running mean is normalised to the shift")
  }

  @Test("activations' gradients match finite differences")
  func activations() {
    // Away from the kink at 0, where there is no gradient.
    let x = Formula.uniform(salt: 6, count: 50).map { $0 + ($0 < 0 ? -0.01 : 0.01) }
    let toOutput = Formula.uniform(salt: 8, count: x.count)
    for activation in [PlainActivation.relu, .leakyReLU, .tanh, .identity] {
      expectGradient(
        activation.backward(toOutput, output: activation.forward(x)),
        of: { dot(toOutput, activation.forward($0)) }, at: x, "\(activation)")
    }
    let ends: [Double] = [-2, 0, 3]
    #expect(PlainActivation.relu.forward(ends) == [0, 0, 3])
    #expect(PlainActivation.leakyReLU.forward(ends) == [-0.4, 0, 3])
    #expect(PlainActivation.relu.backward([1, 1, 1], output: [0, 0, 3]) == [0, 0, 1])
    #expect(PlainActivation.leakyReLU.backward([1, 1, 1], output: [-0.4, 0, 3]) == [0.2, 0.2, 1])
  }

  @Test(
    "every loss of one batch has the gradient of its mean",
    arguments: AdversarialLoss.allCases.filter { !$0.isRelativistic }, StepBatch.allCases)
  func loss(kind: AdversarialLoss, batch: StepBatch) {
    var techniques = Techniques.none
    techniques.loss = kind
    let logits = Formula.uniform(salt: 9, count: 9).map { 5 * $0 }
    for smoothing in kind.hasLabels ? [0, 0.25] : [0] {
      techniques.labelSmoothing = smoothing
      let techniques = techniques
      expectGradient(
        PlainLoss(logits: logits, batch: batch, techniques: techniques).gradient,
        of: { PlainLoss(logits: $0, batch: batch, techniques: techniques).loss }, at: logits,
        "\(kind) \(batch) \(smoothing)")
    }
  }

  @Test("the logistic loss has a gradient where the sigmoid rounds to 0 or 1, bce has none")
  func logistic() {
    var techniques = Techniques.none
    techniques.loss = .logistic
    let far = PlainLoss<Float>(logits: [-300, 300], batch: .real, techniques: techniques)
    #expect(far.loss == 150 && far.gradient == [-0.5, 0])
    let clamped = PlainLoss<Float>(logits: [-300, 300], batch: .real, techniques: .none)
    #expect(clamped.loss == 50 && clamped.gradient == [0, 0])
  }

  @Test(
    "every relativistic loss has the gradients of its mean",
    arguments: AdversarialLoss.allCases.filter(\.isRelativistic), Player.allCases)
  func relativisticLoss(kind: AdversarialLoss, player: Player) {
    func loss<Scalar>(_ real: [Scalar], _ fake: [Scalar]) -> LossValue<PlainLoss<Scalar>> {
      LossValue(real: real, fake: fake, of: player, techniques: Techniques(loss: kind))
    }
    let logits = Formula.uniform(salt: 9, count: 14).map { 5 * $0 }
    for reals in [7, 5, 9] {
      let (real, fake) = (Array(logits[..<reals]), Array(logits[reals...]))
      let value = loss(real, fake)
      expectGradient(
        value.realGradient, of: { loss($0, fake).loss }, at: real, "\(kind) \(player) real")
      expectGradient(
        value.fakeGradient, of: { loss(real, $0).loss }, at: fake, "\(kind) \(player) fake")
      // Only differences of logits count.
      let shifted = loss(real.map { $0 + 3 }, fake.map { $0 + 3 })
      #expect(abs(shifted.loss - value.loss) < 1e-12)
      #expect(abs(shifted.realScore - value.realScore) < 1e-12)
    }
    let equal = loss([2, 2] as [Float], [2, 2, 2])
    #expect(abs(equal.loss - kind.guessing) < 1e-15, "equal logits have the loss of guessing")
    #expect(equal.realScore == 0.5 && equal.fakeScore == 0.5)
    let far = loss([1000] as [Float], [-1000])
    #expect(far.loss.isFinite && far.fakeGradient.allSatisfy(\.isFinite))
    for spoilt in [[1, Float.nan], [.nan, 1]] {
      #expect(loss(spoilt, [0, 1]).loss.isNaN && loss([0, 1], spoilt).loss.isNaN)
    }
  }

  @Test(
    "a NaN among the logits makes the loss NaN",
    arguments: AdversarialLoss.allCases.filter { !$0.isRelativistic })
  func notANumber(kind: AdversarialLoss) {
    var techniques = Techniques.none
    techniques.loss = kind
    for batch in StepBatch.allCases {
      #expect(PlainLoss<Float>(logits: [1, .nan], batch: batch, techniques: techniques).loss.isNaN)
    }
  }

  @Test(
    "the discriminator's gradients match finite differences in every weight and pixel",
    arguments: [true, false])
  func discriminator(normalisesFirst: Bool) throws {
    let shape = try DCGANShape(
      latent: 3, generatorWidth: 1, discriminatorWidth: 2, side: 32, channels: 1)
    let network = PlainNetwork<Double>(
      Formula.discriminator(shape, normalisesFirst: normalisesFirst))
    let x = Formula.uniform(salt: 10, count: 3 * shape.pictureCount)
    func loss(_ network: PlainNetwork<Double>, _ x: [Double]) -> Double {
      var network = network
      return PlainLoss(logits: network.forward(x, count: 3).last!.output, real: true).loss
    }
    var copy = network
    let records = copy.forward(x, count: 3)
    let (input, weights) = network.backward(
      PlainLoss(logits: records.last!.output, real: true).gradient, records: records, count: 3,
      weights: true, input: true)
    expectAlong(network, weights, { loss($0, x) })
    let direction = Formula.uniform(salt: 11, count: x.count)
    let toInput = try #require(input)
    expectSlope(dot(toInput, direction), "pixels") { h in
      loss(network, zip(x, direction).map { $0 + h * $1 })
    }
  }

  @Test("the generator's gradients match finite differences, through the discriminator")
  func generator() throws {
    let shape = try DCGANShape(
      latent: 3, generatorWidth: 2, discriminatorWidth: 2, side: 32, channels: 3)
    let generator = PlainNetwork<Double>(Formula.generator(shape))
    let discriminator = PlainNetwork<Double>(Formula.discriminator(shape, normalisesFirst: true))
    let latents = Formula.uniform(salt: 12, count: 3 * 4).map { 1.7 * $0 }
    func run(_ generator: PlainNetwork<Double>) -> (
      loss: PlainLoss<Double>, fakes: [PlainLayer<Double>.Record],
      shown: [PlainLayer<Double>.Record]
    ) {
      var (generator, discriminator) = (generator, discriminator)
      let fakes = generator.forward(latents, count: 4)
      let shown = discriminator.forward(fakes.last!.output, count: 4)
      return (PlainLoss(logits: shown.last!.output, real: true), fakes, shown)
    }
    let (loss, fakes, shown) = run(generator)
    let (toFakes, none) = discriminator.backward(
      loss.gradient, records: shown, count: 4, weights: false, input: true)
    #expect(
      none.isEmpty, "the generator's step computes no gradients of the discriminator's weights")
    let (toLatents, weights) = generator.backward(
      try #require(toFakes), records: fakes, count: 4, weights: true, input: false)
    #expect(toLatents == nil)
    expectAlong(generator, weights, { run($0).loss.loss })
  }

  /// Compares along one direction for each tensor. One number at a time would take minutes.
  private func expectAlong(
    _ network: PlainNetwork<Double>, _ gradients: [String: [Double]],
    _ loss: (PlainNetwork<Double>) -> Double
  ) {
    #expect(gradients.keys.sorted() == network.parameters.map(\.name).sorted())
    for (name, values) in network.parameters {
      let direction = Formula.uniform(salt: 13, count: values.count)
      expectSlope(dot(gradients[name] ?? [], direction), "\(name)") { h in
        var moved = network
        moved.update { tensor, values in
          guard tensor == name else { return }
          for index in values.indices { values[index] += h * direction[index] }
        }
        return loss(moved)
      }
    }
  }

  /// Compares a slope along a line with the central difference.
  ///
  /// The step of 10^-7 is so small that hardly any activation passes its kink. With a loss of order
  /// 1 and roundings of 10^-16 the difference is accurate to about 10^-9.
  private func expectSlope(_ slope: Double, _ name: Comment, _ loss: (Double) -> Double) {
    let h = 1e-7
    let difference = (loss(h) - loss(-h)) / (2 * h)
    #expect(abs(difference - slope) < 1e-6 * max(abs(slope), 0.01), name)
  }
}

/// One case of `Fixtures/loss.json`: PyTorch's sigmoid and cross-entropy, up to where they
/// saturate.
private struct LossFixture: Decodable, Sendable {
  let type: String
  let target: Int
  let logits: [Double]
  let loss: Double
  let score: Double
  let gradient: [Double]
}

@Suite("Plain loss")
struct PlainLossTests {
  @Test("loss and gradient equal PyTorch's, even where they saturate")
  func saturates() {
    func expect<Scalar: BinaryFloatingPoint & Sendable>(
      _ fixture: LossFixture, _ scalar: Scalar.Type, tolerance: Double
    ) {
      let found = PlainLoss(
        logits: fixture.logits.map { Scalar($0) }, real: fixture.target == 1)
      // 1 − sigmoid loses digits as the sigmoid nears 1. Both sides lose the same ones, except for
      // the last bit of exp, whose error is multiplied by e^logit.
      func close(_ a: Double, _ b: Double, _ slack: Double) -> Bool {
        abs(a - b) <= slack * max(abs(b), 1e-300)
      }
      for (logit, (a, b)) in zip(fixture.logits, zip(found.gradient, fixture.gradient)) {
        let slack = tolerance * max(1, min(exp(logit), 1 / tolerance / 8))
        #expect(
          close(Double(a), b, slack) || abs(Double(a) - b) < 1e-9,
          "\(scalar) target \(fixture.target) logit \(logit): \(a), PyTorch \(b)")
      }
      #expect(close(found.score, fixture.score, tolerance))
      let largest = fixture.logits.max()!
      let slack = tolerance * max(1, min(exp(largest), 1 / tolerance / 8))
      #expect(
        close(found.loss, fixture.loss, slack),
        "\(scalar) target \(fixture.target) \(fixture.logits): \(found.loss), \(fixture.loss)")
    }
    for fixture in fixture("loss.json", as: [LossFixture].self) {
      if fixture.type == "float32" {
        expect(fixture, Float.self, tolerance: 4e-7)
      } else {
        expect(fixture, Double.self, tolerance: 1e-15)
      }
    }
  }
}
