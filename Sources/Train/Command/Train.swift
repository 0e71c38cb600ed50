import ArgumentParser
import BollyGANModel
import BollyGANTerminal
import BollyGANRuns
import BollyGANTraining

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Trains on a folder of pictures, or goes on with a run.
struct Train: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train on a folder of pictures, or go on with a run (the default).",
    usage: """
      bollygan-train DATA --out RUN [options]
      bollygan-train --resume RUN [options]
      bollygan-train --from RUN/run.json --out NEW-RUN [options]
      """,
    discussion: """
      No pictures at hand? Draw some faces and train on them:

        bollygan-train draw-faces faces --count 2000
        bollygan-train faces --out runs/first --epochs 20

      The run folder holds the weights (generator.safetensors), a sheet of samples for every epoch \
      (samples/), all figures (log.jsonl) and what it takes to go on (checkpoints). Stop a run by \
      Ctrl-C, or let the power fail; then go on where it was, bit for bit:

        bollygan-train --resume runs/first

      Once it has ended, go on for longer, or look at new faces:

        bollygan-train --resume runs/first --epochs 60
        bollygan-infer --model runs/first/generator.safetensors --out faces.png

      As PyTorch's tutorial does it, with the same numbers:

        bollygan-train celeba --out runs/tutorial --recipe tutorial --seed 999

      Exit status: 0 done; 3 training diverged; 64 wrong command line; 65 bad data or another run; \
      66 data missing or too few pictures; 73 the run folder is not empty; 74 cannot read or write; \
      75 another process trains in the run folder; 130 and 143 stopped by a signal, all saved.
      """)

  @OptionGroup(title: "What to do") var task: TaskOptions
  @OptionGroup(title: "What to train") var recipe: RecipeOptions
  @OptionGroup(title: "How to carry it out") var execution: ExecutionOptions
  @OptionGroup(title: "What to say") var output: OutputOptions
  @OptionGroup(visibility: .hidden) var aliases: Aliases

  mutating func validate() throws {
    let aliases = aliases
    try aliases.merge(into: &self)
    try task.check()
  }

  func run() async throws {
    Interruption.watch()
    // A file that may not grow further is then an error of its write.
    _ = signal(SIGXFSZ, SIG_IGN)
    let session = Session(
      task: task, recipe: recipe, execution: execution, display: Display(output))
    try await session.run()
  }
}
