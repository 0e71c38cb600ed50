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

/// Trains on a folder of images, or resumes a run.
struct Train: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train on a folder of images, or resume a run (the default).",
    usage: """
      bollygan-train DATA --out RUN [options]
      bollygan-train --resume RUN [options]
      bollygan-train --from RUN/run.json --out NEW-RUN [options]
      """,
    discussion: """
      To try it without photographs, draw faces and train on them:

        bollygan-train draw-faces faces --count 2000
        bollygan-train faces --out runs/first --epochs 20

      The run folder holds the weights (generator.safetensors), a sample sheet per epoch \
      (samples/), a report (report.html), the log (log.jsonl) and checkpoints. A run that was \
      stopped with Ctrl-C, or by a power failure, resumes bit for bit:

        bollygan-train --resume runs/first

      Extend a finished run, or generate new faces:

        bollygan-train --resume runs/first --epochs 60
        bollygan-infer --model runs/first/generator.safetensors --out faces.png

      Reproduce PyTorch's tutorial, including its random numbers:

        bollygan-train celeba --out runs/tutorial --recipe tutorial --seed 999

      Exit status: 0 success; 3 training diverged; 64 usage error; 65 bad data, or settings that \
      differ from the run's; 66 data missing or too few images; 73 run folder not empty or cannot \
      be created; 74 I/O error; 75 another process is training in the run folder; 130 or 143 \
      stopped by a signal, everything saved.
      """)

  @OptionGroup(title: "Run") var task: TaskOptions
  @OptionGroup(title: "Recipe") var recipe: RecipeOptions
  @OptionGroup(title: "Execution") var execution: ExecutionOptions
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(visibility: .hidden) var aliases: Aliases

  mutating func validate() throws {
    let aliases = aliases
    try aliases.merge(into: &self)
    try task.check()
  }

  func run() async throws {
    Interruption.watch()
    // Exceeding the file size limit then becomes an error of the write.
    _ = signal(SIGXFSZ, SIG_IGN)
    let session = TrainingSession(
      task: task, recipe: recipe, execution: execution, display: Display(output))
    try await session.run()
  }
}
