import BollyGANInfer
import BollyGANModel
import BollyGANTraining

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Repeats our work in rounds, as `Benchmarks/rounds.py` requests.
///
///     Worker draw MODEL BATCH THREADS LEVEL
///     Worker train BATCH THREADS LEVEL
///
/// LEVEL is an instruction set or `best`.
@main
struct Worker {
  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst()
    let numbers = arguments.suffix(3).compactMap { Int($0) }
    guard let job = arguments.first, numbers.count == 2, let level = arguments.last else {
      fatalError("usage: Worker draw MODEL BATCH THREADS LEVEL | train BATCH THREADS LEVEL")
    }
    let instructionSet = InstructionSet(rawValue: level) ?? .best
    switch job {
    case "draw":
      let file = try SafetensorsFile(bytes: readFile(arguments[2], limit: 1 << 30))
      let generator = Generator(
        try GeneratorWeights(file), instructionSet: instructionSet, threads: numbers[1])
      let latents = Latents.torch(seed: 42, count: numbers[0], size: generator.shape.latent).values
      try answerRounds { _ = generator.pictures(latents: latents) }
    case "train":
      let trainer = try trainer(instructionSet: instructionSet, threads: numbers[1])
      let batch = TrainingBatch.drawn(count: numbers[0], shape: trainer.configuration.shape)
      try answerRounds { _ = try trainer.step(batch) }
    default: fatalError("\(job): neither draw nor train")
    }
  }

  /// A trainer of the article's networks, with weights from N(0, 0.02).
  private static func trainer(instructionSet: InstructionSet, threads: Int) throws -> FastTrainer {
    let shape = DCGANShape.article
    var random = TorchRandom(seed: 42)
    func kernel(_ inputs: Int, _ outputs: Int) -> Tensor {
      Tensor(
        shape: [inputs, outputs, 4, 4],
        values: random.normal(count: inputs * outputs * 16, mean: 0, std: 0.02))
    }
    func layers(_ channels: [Int], transposed: Bool) -> [LayerWeights] {
      zip(channels, channels.dropFirst()).enumerated().map { index, pair in
        LayerWeights(
          kernel: transposed ? kernel(pair.0, pair.1) : kernel(pair.1, pair.0),
          norm: index == channels.count - 2 ? nil : NormWeights(channels: pair.1))
      }
    }
    return FastTrainer(
      configuration: TrainingConfiguration(shape: shape),
      generator: GeneratorWeights(
        shape: shape, layers: layers(shape.generatorChannels, transposed: true)),
      discriminator: DiscriminatorWeights(
        shape: shape, normalisesFirst: true,
        layers: layers(shape.discriminatorChannels, transposed: false)),
      threads: threads, instructionSet: instructionSet)
  }

  /// Answers each line, a number of seconds, with the number of calls and the median seconds of
  /// one.
  private static func answerRounds(_ work: () throws -> Void) throws {
    let clock = ContinuousClock()
    for _ in 0..<3 { try work() }
    answer("ready \(bollyganVersion)")
    while let line = readLine(), let seconds = Double(line) {
      let end = clock.now + .seconds(seconds)
      var times: [Duration] = []
      repeat {
        times.append(try clock.measure(work))
      } while clock.now < end
      times.sort()
      answer("\(times.count) \(times[times.count / 2] / .seconds(1))")
    }
  }

  /// Prints a line, and flushes it to the pipe.
  private static func answer(_ line: String) {
    print(line)
    fflush(nil)
  }
}

extension TrainingBatch {
  /// A batch of random pixels; the content does not change the time.
  static func drawn(count: Int, shape: DCGANShape) -> TrainingBatch {
    var random = TorchRandom(seed: 7)
    let latents = random.normal(count: 2 * count * shape.latent)
    return TrainingBatch(
      pixels: (0..<count * shape.pictureCount).map { _ in UInt8(random.next32() >> 24) },
      latents: Array(latents[..<(count * shape.latent)]),
      generatorLatents: Array(latents[(count * shape.latent)...]))
  }
}
