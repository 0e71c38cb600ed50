import BollyGANInfer
import BollyGANModel

/// Draws a batch again and again for as long as each line of standard input says, in seconds, and
/// answers with the number of calls and the median time of one, in seconds.
///
///     Worker MODEL BATCH THREADS LEVEL
///
/// LEVEL is an instruction set or `best`.
@main
struct Worker {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 5, let batch = Int(arguments[2]), let threads = Int(arguments[3]) else {
      fatalError("usage: Worker MODEL BATCH THREADS LEVEL")
    }
    let file = try SafetensorsFile(bytes: readFile(arguments[1], limit: 1 << 30))
    let generator = Generator(
      try GeneratorWeights(file),
      instructionSet: InstructionSet(rawValue: arguments[4]) ?? .best, threads: threads)
    let latents = Latents.torch(seed: 42, count: batch, size: generator.shape.latent).values
    let clock = ContinuousClock()

    answer("ready \(generator.instructionSet.rawValue)")
    while let line = readLine(), let seconds = Double(line) {
      let end = clock.now + .seconds(seconds)
      var times: [Duration] = []
      repeat {
        times.append(clock.measure { _ = generator.pictures(latents: latents) })
      } while clock.now < end
      times.sort()
      answer("\(times.count) \(times[times.count / 2] / .seconds(1))")
    }
  }

  /// Prints a line that its reader, a pipe, gets now.
  private static func answer(_ line: String) {
    print(line)
    fflush(nil)
  }
}
